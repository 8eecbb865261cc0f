package rootfs

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/internal/tree"
)

// Cache remembers the headers of layers by the digest of their tar. A store of package cas is one.
type Cache interface {
	// Get returns exactly what was Put, or false.
	Get(space, key string) ([]byte, bool, error)
	Put(space, key string, data []byte) error
}

// FS is the file tree of an image. It does not change; all methods may be used concurrently. Paths are
// slash-separated and may have a leading slash; "" is the root.
type FS struct {
	root   *node
	layers []layer
}

// Node is one path of an FS.
type Node struct {
	// Entry has the path as the layers have it, without links on the way. Its Kind is 0 for devices and pipes.
	// Its Open reads the layer up to the file and, before it reports the end, the rest to verify it:
	// for several files use Extract or Visit.
	tree.Entry
	// Special are the setuid, setgid and sticky bits, which Entry.Mode holds for directories alone.
	Special fs.FileMode
	// ModTime has whole seconds, as stat(2) in a container reports them to Python's import system.
	ModTime time.Time
	// Implied says that no layer describes this directory: engines make it, with mode 0755.
	Implied bool
	// Head are the first 16 bytes of a compiled module (*.pyc in __pycache__), if it has as many.
	Head []byte
}

// New reads the headers of the layers, lowest first, that the cache does not have. diffIDs are the digests
// of their tars, as in the image's config. Content of layers that the cache knows is not touched.
func New(ctx context.Context, layers []v1.Layer, diffIDs []v1.Hash, cache Cache) (*FS, error) {
	if len(layers) != len(diffIDs) {
		return nil, fmt.Errorf("the manifest has %d layers and the config %d; the image is broken", len(layers), len(diffIDs))
	}
	if len(layers) > maxLayers {
		return nil, fmt.Errorf("%d layers, more than %d", len(layers), maxLayers)
	}
	f := &FS{layers: make([]layer, len(layers))}
	for i := range layers {
		f.layers[i] = layer{layers[i], diffIDs[i]}
	}
	records, err := f.records(ctx, cache)
	if err != nil {
		return nil, err
	}
	m := newMerger()
	for i, r := range records {
		if err := m.add(r); err != nil {
			return nil, f.layers[i].wrap(err)
		}
	}
	f.root = m.root
	return f, nil
}

func (f *FS) records(ctx context.Context, cache Cache) ([][]record, error) {
	all := make([][]record, len(f.layers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, l := range f.layers {
		g.Go(func() (err error) {
			all[i], err = l.cachedRecords(ctx, cache)
			return err
		})
	}
	return all, g.Wait()
}

func (l layer) cachedRecords(ctx context.Context, cache Cache) ([]record, error) {
	const space = "layer-headers"
	key := codecVersion + "-" + l.diffID.String()
	if b, ok, err := cache.Get(space, key); err != nil {
		return nil, err
	} else if ok {
		if records, err := decode(b); err == nil {
			return records, nil
		}
	}
	records, err := l.records(ctx)
	if err != nil {
		return nil, err
	}
	return records, cache.Put(space, key, encode(records))
}

// Lookup returns what is at path. Links on the way are followed; a link at the path's end is what is returned.
func (f *FS) Lookup(path string) (Node, bool) {
	w := walk{root: f.root}
	n, err := w.to(path)
	if err != nil {
		return Node{}, false
	}
	return f.node(w.path(), n), true
}

// Stat is Lookup for those whom the entry is enough.
func (f *FS) Stat(path string) (tree.Entry, bool) {
	n, ok := f.Lookup(path)
	return n.Entry, ok
}

// Resolve follows all links in path, as a process in a chroot would, and returns the path of what is there
// relative to the root. The error is a *fs.PathError: fs.ErrNotExist, or too many links.
func (f *FS) Resolve(path string) (string, error) {
	w := walk{root: f.root, last: true}
	if _, err := w.to(path); err != nil {
		return "", &fs.PathError{Op: "resolve", Path: path, Err: err}
	}
	return w.path(), nil
}

// Place returns the path under which a layer has to put a file so that a process sees it at path: links
// of the image on the way are followed, directories that are missing stay as they are written. What
// stands at the path's end itself is not looked at.
func (f *FS) Place(name string) (string, error) {
	w := walk{root: f.root, last: true, missing: func(d *node, name string) (*node, error) {
		if d.children[name] != nil {
			return nil, errNotDir
		}
		return impliedDir(d, 0), nil
	}}
	parent, base := path.Split(path.Clean("/" + name))
	if _, err := w.to(parent); err != nil {
		return "", &fs.PathError{Op: "place", Path: name, Err: err}
	}
	return joinPath(w.path(), base), nil
}

// List returns what the directory at path holds, by name.
func (f *FS) List(path string) ([]Node, error) {
	w := walk{root: f.root, last: true}
	n, err := w.to(path)
	if err == nil && n.kind != dir {
		err = errNotDir
	}
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: path, Err: err}
	}
	var all []Node
	for _, name := range n.names() {
		all = append(all, f.node(joinPath(w.path(), name), n.children[name]))
	}
	return all, nil
}

// Walk calls visit for all that is below the directory at path, in the order of tree.Sort. It goes into no
// links. fs.SkipDir from visit leaves out what a directory holds.
func (f *FS) Walk(path string, visit func(Node) error) error {
	nodes, err := f.List(path)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		switch err := visit(n); {
		case err == fs.SkipDir && n.Kind == tree.Dir:
			continue
		case err != nil:
			return err
		}
		if n.Kind != tree.Dir {
			continue
		}
		if err := f.Walk(n.Path, visit); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) path() string { return joinPath(".", strings.Join(w.names, "/")) }

func joinPath(dir, name string) string {
	switch {
	case dir == "." && name == "":
		return "."
	case dir == ".":
		return name
	}
	return dir + "/" + name
}

func (f *FS) node(name string, n *node) Node {
	e := tree.Entry{Path: name, UID: n.uid, GID: n.gid, Mode: n.mode & fs.ModePerm}
	if n.kind <= link {
		e.Kind = tree.Kind(n.kind)
	}
	switch n.kind {
	case dir:
		e.Mode = n.mode
	case file:
		e.Size = n.size
		e.Open = func() (io.ReadCloser, error) { return f.open(n) }
	case link:
		e.Link = n.link
	}
	return Node{
		Entry: e, Special: n.mode &^ fs.ModePerm, ModTime: time.Unix(n.mtime, 0).UTC(),
		Implied: n.implied, Head: n.head,
	}
}
