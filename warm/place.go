package warm

import (
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

// python is what the layout of a venv depends on.
type python struct {
	version  string // X.Y.Z as bytecode.Interpreter.Version has it
	minor    string // X.Y
	lib      string // the directory below lib/: python3.11, python3.13t
	tag      string // of pycs: cpython-311
	compiler string // what determines bytecode besides the sources; X.Y.Z of who compiles
	invoked  string // absolute path in the image that the venv's python links to
	real     string // the same with links resolved; pex hashes this one
}

// place knows where everything lies in the image. All paths are absolute and slash-separated.
type place struct {
	root   string // PEX_ROOT
	app    string // the application's files and the working directory
	home   string // of the default user
	py     python
	caches pex.CacheDirs
}

func (p place) venv() string   { return path.Join(p.root, "venv") }
func (p place) bin() string    { return path.Join(p.venv(), "bin") }
func (p place) python() string { return path.Join(p.bin(), "python") }

// libs is the site-packages directory relative to the venv.
func (p place) libs() string { return path.Join("lib", p.py.lib, "site-packages") }

// site is the site-packages directory.
func (p place) site() string { return path.Join(p.venv(), p.libs()) }

// cache is a directory of PEX_ROOT, as the pex in the PEX names it.
func (p place) cache(name string) string { return path.Join(p.root, p.caches.Path(name)) }

// shebang is the first line of every script, without its end. pythonX.Y is what pex names there.
func (p place) shebang(hermetic bool) string {
	line := "#!" + path.Join(p.bin(), "python"+p.py.minor)
	if hermetic {
		line += " -I"
	}
	return line
}

// in turns an absolute path into one of a tree entry.
func in(abs string) string { return strings.TrimPrefix(abs, "/") }

// link returns the symbolic link at the absolute path at that leads to the absolute path to, relatively: a
// tree that is mounted elsewhere stays whole.
func link(at, to string) tree.Entry { return tree.NewLink(in(at), relative(path.Dir(at), to)) }

// relative is the way from a directory to a path, both absolute and clean.
func relative(dir, to string) string {
	from, target := split(dir), split(to)
	for len(from) > 0 && len(target) > 0 && from[0] == target[0] {
		from, target = from[1:], target[1:]
	}
	steps := append(strings.Split(strings.Repeat("../", len(from)), "/"), target...)
	return path.Clean(path.Join(steps...))
}

func split(abs string) []string {
	return strings.FieldsFunc(abs, func(r rune) bool { return r == '/' })
}
