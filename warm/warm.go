package warm

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/pex"
)

// Tree is the content of an image above its base.
type Tree struct {
	// Units are in the order of layers: what changes least comes first.
	Units []Unit
	// Entrypoint is the command of the image: the venv's Python, its options, the entry stub.
	Entrypoint []string
	// Env is what the image sets ("NAME=value"): PEX_ROOT, HOME and USER.
	Env []string
	// Path are the directories that come first on the image's PATH: that of the venv's scripts.
	Path []string
	// VenvDir and AppDir are the absolute paths of the venv and of the application's files, which are the
	// working directory.
	VenvDir, AppDir string
	// Skipped are the Python files that did not compile. They start as slowly, or fail, as they would anywhere.
	Skipped []Skipped
	// Collisions are the files of which a second distribution, or the application, has another version.
	Collisions []Collision
}

// Options are what is seldom chosen. The zero value is what images have.
type Options struct {
	// Compiler is the X.Y.Z of the interpreter behind the compiler, if that is not the base's own release. It
	// is part of the keys of units, whose bytecode it determines.
	Compiler string

	// Where things lie in the image; tests choose other places.

	Root string // PEX_ROOT, default "/pex"
	App  string // the application's files, default "/app"
	Home string // of the default user, default "/home/nonroot"
}

// User is the name of the default user; see UserID.
const User = "nonroot"

// Make lays out a PEX on a base. The PEX must be of the base's target (pex.File.For), so that its distributions are
// in the order of activation. A nil compiler makes a tree without bytecode. The units refer to f, to
// app.Files and to the compiler's store, which have to stay until they are packed.
func Make(ctx context.Context, f *pex.File, v *base.Variant, app App, c Compiler, o Options) (*Tree, error) {
	p, err := newPlace(f, v, o)
	if err != nil {
		return nil, err
	}
	b, err := newBuild(ctx, f, app, p, c != nil)
	if err != nil {
		return nil, err
	}
	b.base = stdlibOf(v)
	std := &stdlib{base: v.Digest.String(), imported: importedBy(v)}
	if c != nil {
		if std.sources, err = v.StdlibSources(ctx); err != nil {
			return nil, err
		}
	}
	t, err := b.make(ctx, c, std)
	if err != nil {
		return nil, err
	}
	t.Env = []string{"PEX_ROOT=" + p.root, "HOME=" + p.home, "USER=" + User}
	t.Path = []string{p.bin()}
	return t, t.settle(v.FS, p)
}

func newPlace(f *pex.File, v *base.Variant, o Options) (place, error) {
	p := place{root: cmp.Or(o.Root, "/pex"), app: cmp.Or(o.App, "/app"), home: cmp.Or(o.Home, "/home/"+User)}
	parts := strings.SplitN(v.Python.Version, ".", 3)
	if len(parts) < 3 {
		return p, fmt.Errorf("python %s of the base: %q is not a version X.Y.Z", v.Python.Path, v.Python.Version)
	}
	p.py = python{
		version: v.Python.Version, minor: parts[0] + "." + parts[1], lib: path.Base(v.Python.Stdlib), tag: v.Python.CacheTag,
		compiler: cmp.Or(o.Compiler, v.Python.Version),
		invoked:  cmp.Or(v.Python.Invoked, v.Python.Path), real: v.Python.Path,
	}
	if at, err := v.FS.Resolve(p.root); err == nil && at != in(p.root) {
		return p, fmt.Errorf("the base has a link at %s, to /%s; pexko needs that path, take another base", p.root, at)
	}
	if _, ok := v.FS.Stat(in(p.venv())); ok {
		return p, fmt.Errorf("the base has a %s already; take the base that it was built on, or another one", p.venv())
	}
	var err error
	p.caches, err = f.CacheDirs()
	return p, err
}

// importedBy gives the path by which Python imports a source of the standard library: its own name for that
// directory, which may lead over a link.
func importedBy(v *base.Variant) func(string) string {
	real, err := v.FS.Resolve(v.Python.Stdlib)
	return func(name string) string {
		if below, ok := strings.CutPrefix(in(name), real+"/"); ok && err == nil {
			return path.Join(v.Python.Stdlib, below)
		}
		return name
	}
}

// baseLibrary is the standard library of a base.
type baseLibrary struct {
	fs  *base.FS
	dir string
}

func stdlibOf(v *base.Variant) baseLibrary { return baseLibrary{v.FS, v.Python.Stdlib} }

// HasModule looks for a module's source; no extension module of the standard library can be run.
func (l baseLibrary) HasModule(name string) bool {
	at := path.Join(l.dir, strings.ReplaceAll(name, ".", "/"))
	for _, file := range []string{at + ".py", at + "/__init__.py"} {
		if _, err := l.fs.Resolve(file); err == nil {
			return true
		}
	}
	return false
}
