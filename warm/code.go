package warm

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// code is the application's own files, which lie in the image as they lie in its directory.
type code struct {
	files map[string]tree.Entry // files and links, relative to the app directory
	dirs  []tree.Entry
	roots []string              // import roots relative to the app directory, "" for itself
	pycs  map[string]tree.Entry // by the path of their source, relative to the app directory
}

func readCode(app App) (*code, error) {
	if err := app.Files.Validate(); err != nil {
		return nil, fmt.Errorf("application files: %w", err)
	}
	c := &code{files: map[string]tree.Entry{}, pycs: map[string]tree.Entry{}}
	for _, e := range app.Files {
		switch {
		case bytecodeFile(e.Path):
		case e.Kind == tree.Dir:
			c.dirs = append(c.dirs, e)
		default:
			c.files[e.Path] = e
		}
	}
	for _, root := range app.ImportRoots {
		root = strings.TrimPrefix(path.Clean("/"+root), "/")
		if !slices.Contains(c.roots, root) {
			c.roots = append(c.roots, root)
		}
	}
	return c, nil
}

// sources are the import roots as the merge sees them.
func (c *code) sources(p place) []*source {
	var all []*source
	for _, root := range c.roots {
		s := &source{name: "the application", dir: path.Join(p.app, root), app: true, files: map[string]tree.Entry{}, pycs: map[string]tree.Entry{}}
		for name, e := range c.files {
			if below, ok := under(name, root); ok {
				s.files[below] = e
			}
		}
		s.count()
		all = append(all, s)
	}
	return all
}

// under cuts a directory, "" for the top, off a path below it.
func under(name, dir string) (string, bool) {
	if dir == "" {
		return name, true
	}
	return strings.CutPrefix(name, dir+"/")
}

// imported is the path by which a file is imported: through site-packages below an import root (the innermost, if
// they nest), else where it lies.
func (c *code) imported(name string, p place) string {
	best, imported := -1, path.Join(p.app, name)
	for _, root := range c.roots {
		if below, ok := under(name, root); ok && len(root) > best {
			best, imported = len(root), path.Join(p.site(), below)
		}
	}
	return imported
}

// compile registers all modules, also those outside of the import roots: scripts import their neighbours. They
// are checked against their sources, so that a file that is copied into a running container takes effect.
func (c *code) compile(p place, roots []*source, b *batch) {
	for _, name := range sorted(c.files) {
		file, ok := c.follow(name)
		if !ok || !strings.HasSuffix(name, ".py") {
			continue
		}
		b.add(c.imported(name, p), bytecode.Checked, file, func(pyc tree.Entry) error {
			pyc.Path = bytecode.CacheName(name, p.py.tag)
			c.pycs[name] = pyc
			for i, root := range roots {
				if below, ok := under(name, c.roots[i]); ok {
					pyc.Path = bytecode.CacheName(below, p.py.tag)
					root.pycs[below] = pyc
				}
			}
			return nil
		})
	}
}

// maxLinks is how many links in a row are followed, as Linux does.
const maxLinks = 40

// follow returns the file that a file or link of the application leads to, if that is one of its files too.
func (c *code) follow(name string) (tree.Entry, bool) {
	for range maxLinks {
		e, ok := c.files[name]
		if !ok || e.Kind == tree.File {
			return e, ok
		}
		if path.IsAbs(e.Link) {
			break
		}
		name = path.Join(path.Dir(name), e.Link)
	}
	return tree.Entry{}, false
}

// tree is what lies in the app directory.
func (c *code) tree(p place) tree.Tree {
	t := slices.Clone(tree.Tree(c.dirs))
	for _, e := range c.files {
		t = append(t, e)
	}
	for _, pyc := range c.pycs {
		t = append(t, pyc)
	}
	for i := range t {
		t[i].UID, t[i].GID, t[i].Origin, t[i].Mode = 0, 0, "", mode(t[i])
	}
	return within(append(t.Under(in(p.app)), tree.NewDir(in(p.app))), p.app)
}

// mode is what an entry of the application has in the image: readable by all, whatever the umask was here.
func mode(e tree.Entry) (m fs.FileMode) {
	switch {
	case e.Kind == tree.Symlink:
		return 0o777
	case e.Kind == tree.Dir || e.Mode&0o111 != 0:
		return 0o755
	}
	return 0o644
}

// tops are the names at the top of the import roots, and where each lies.
func (c *code) tops(p place) map[string]string {
	tops := map[string]string{}
	for _, root := range c.roots {
		for name := range c.files {
			if below, ok := under(name, root); ok {
				top, _, _ := strings.Cut(below, "/")
				if _, taken := tops[top]; !taken {
					tops[top] = path.Join(p.app, root, top)
				}
			}
		}
	}
	return tops
}
