package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// What is read of an image at a time: the largest libpython with debug symbols has some 200 MB.
const (
	maxFile  = 1 << 30 // bytes of one file
	maxFiles = 8 << 30 // bytes of all files of one Visit
)

// Visit reads the files at paths; links are followed. do is called once for each content, with the paths
// that lead to it, in the order in which layers hold them; a layer is opened once if it holds any. What do
// got is to be used only if Visit returns nil: a layer's digest is known when it was read to its end.
func (f *FS) Visit(ctx context.Context, paths []string, do func(paths []string, n Node, r io.Reader) error) error {
	wanted, err := f.wanted(paths)
	if err != nil {
		return err
	}
	for i, want := range wanted {
		if len(want) == 0 {
			continue
		}
		if err := f.visitLayer(ctx, i, want, do); err != nil {
			return err
		}
	}
	return nil
}

// request is one content that is wanted, and under which paths.
type request struct {
	node  *node
	paths []string
}

// wanted sorts the paths by layer and place in it.
func (f *FS) wanted(paths []string) ([]map[int32]*request, error) {
	wanted := make([]map[int32]*request, len(f.layers))
	var total int64
	for _, p := range paths {
		n, err := f.file(p)
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: p, Err: err}
		}
		if wanted[n.layer] == nil {
			wanted[n.layer] = map[int32]*request{}
		}
		have := wanted[n.layer][n.index]
		if have == nil {
			have = &request{node: n}
			wanted[n.layer][n.index] = have
			total += n.size
		}
		if !slices.Contains(have.paths, p) {
			have.paths = append(have.paths, p)
		}
	}
	if total > maxFiles {
		return nil, fmt.Errorf("%d bytes to be read of the image, more than %d", total, int64(maxFiles))
	}
	return wanted, nil
}

// file finds the regular file that path leads to.
func (f *FS) file(path string) (*node, error) {
	w := walk{root: f.root, last: true}
	n, err := w.to(path)
	switch {
	case err != nil:
		return nil, err
	case n.kind != file:
		return nil, errors.New("not a regular file")
	case n.size > maxFile:
		return nil, fmt.Errorf("%d bytes, more than %d", n.size, int64(maxFile))
	}
	return n, nil
}

func (f *FS) visitLayer(ctx context.Context, i int, want map[int32]*request, do func([]string, Node, io.Reader) error) error {
	return f.layers[i].each(ctx, func(index int, h *tar.Header, r io.Reader) error {
		req := want[int32(index)]
		if req == nil {
			return nil
		}
		if err := req.node.same(h); err != nil {
			return err
		}
		if err := do(req.paths, f.node(req.paths[0], req.node), r); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, r) // so that a cut tar is noticed whatever do read
		return err
	})
}

// same says whether the header at hand is the one that the records have in its place.
func (n *node) same(h *tar.Header) error {
	if name, err := cleanName(h.Name); err != nil || name != n.name || h.Size != n.size {
		return fmt.Errorf("%s stands where %s was; the layer is not the one that was looked at", h.Name, n.name)
	}
	return nil
}

// open is Entry.Open of a file.
func (f *FS) open(n *node) (io.ReadCloser, error) {
	l := f.layers[n.layer]
	s, err := l.open(context.Background())
	if err != nil {
		return nil, l.wrap(err)
	}
	for {
		h, err := s.next()
		if err == io.EOF {
			err = fmt.Errorf("%s is no longer in it", n.name)
		}
		if err == nil && int32(s.index) == n.index {
			err = n.same(h)
		}
		if err != nil {
			return nil, errors.Join(l.wrap(err), s.Close())
		}
		if int32(s.index) == n.index {
			return &opened{stream: s}, nil
		}
	}
}

// opened is the content of one file.
type opened struct {
	stream *stream
	err    error // of the end
}

// Read reports the end only after the whole layer turned out to have its digest.
func (o *opened) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.stream.tar.Read(p)
	if err == io.EOF {
		if o.err = o.stream.verify(); o.err == nil {
			o.err = io.EOF
		} else {
			o.err = o.stream.layer.wrap(o.err)
		}
		return n, o.err
	}
	return n, err
}

func (o *opened) Close() error { return o.stream.Close() }
