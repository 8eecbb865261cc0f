package base

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// runtimeVersion is part of the key of an extracted interpreter. It changes with what is extracted.
const runtimeVersion = "1"

// Names in the directory of an extracted interpreter.
const (
	runtimeRoot = "root"         // the files, by their paths in the image
	runtimeFile = "runtime.json" // extracted
)

// extracted says how to start an interpreter that lies below a directory. Paths are relative to the image's
// root and free of links.
type extracted struct {
	Program, Loader string
	Libraries       []string // directories of shared libraries
	// Rigid are libraries with a DT_RPATH of their own that does not begin with $ORIGIN. It would lead out of the directory.
	Rigid []string `json:",omitempty"`
}

// Interpreter extracts the image's Python with its libraries and standard library into the store and says
// how to run it on this machine: by its own loader, without root rights, container or chroot, whatever
// Python and libc this machine has. A machine of another architecture is an *ArchitectureError.
//
// What is run is code of the base, with the rights of the user and no confinement but what package bytecode
// gives it: a base that is not trusted is one to compile for with --bytecode=host or none.
//
// It is good for running Python code that imports the standard library. What it starts by sys.executable
// would look for the loader on this machine.
func (v *Variant) Interpreter(ctx context.Context) (bytecode.Interpreter, error) {
	if host := hostPlatform(); !host.Equals(v.Platform) {
		return bytecode.Interpreter{}, &ArchitectureError{Platform: v.Platform, Host: host}
	}
	return v.extractedInterpreter(ctx)
}

// extractedInterpreter is Interpreter for a machine of the variant's architecture, whatever this one is.
func (v *Variant) extractedInterpreter(ctx context.Context) (bytecode.Interpreter, error) {
	dir, x, err := v.extract(ctx)
	if err != nil {
		return bytecode.Interpreter{}, err
	}
	root := filepath.Join(dir, runtimeRoot)
	if i := strings.IndexAny(root, ":;$"); i >= 0 {
		return bytecode.Interpreter{}, fmt.Errorf("%s: the path of the cache has %q in it, which a dynamic loader cannot be told; choose another with --cache-dir", root, root[i:i+1])
	}
	at := func(p string) string { return filepath.Join(root, filepath.FromSlash(p)) }
	argv := []string{at(x.Loader)}
	if v.Libc.Kind == Glibc {
		// To --inhibit-rpath, the name of the program itself is empty.
		rigid := append([]string{""}, mapped(x.Rigid, at)...)
		argv = append(argv, "--inhibit-cache", "--inhibit-rpath", strings.Join(rigid, ":"))
	}
	if len(x.Libraries) > 0 { // an empty list would mean the working directory
		argv = append(argv, "--library-path", strings.Join(mapped(x.Libraries, at), ":"))
	}
	return bytecode.Interpreter{
		Argv: append(argv, at(x.Program)),
		// Without a locale, glibc would look for C.UTF-8 among this machine's, and Python would ask for it.
		Env:     []string{"PYTHONHOME=" + at(v.Python.Prefix), "LC_ALL=C", "PYTHONUTF8=1"},
		Version: v.Python.Version,
	}, nil
}

// InterpreterFor returns an interpreter of this machine that compiles what the variant's Python would: its
// own; for a foreign architecture that of the base's image for this machine, if it is the same release;
// else one of the machine's own Pythons. environ is the process's environment, as bytecode.HostInterpreter
// takes it; where there is no interpreter, the error is that function's.
func (b *Base) InterpreterFor(ctx context.Context, v *Variant, environ []string) (bytecode.Interpreter, error) {
	host := hostPlatform()
	if host.Equals(v.Platform) {
		return v.Interpreter(ctx)
	}
	if _, err := b.find(host); err == nil {
		twin, err := b.Variant(ctx, host)
		if ctx.Err() != nil {
			return bytecode.Interpreter{}, ctx.Err()
		}
		if err == nil && twin.Python.Version == v.Python.Version && twin.Python.Local == v.Python.Local {
			return twin.Interpreter(ctx)
		}
	}
	return bytecode.HostInterpreter(ctx, v.Python.Version, environ)
}

// hostPlatform is what images run on this machine.
func hostPlatform() v1.Platform {
	return normal(v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH})
}

func mapped(list []string, f func(string) string) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = f(s)
	}
	return all
}

// StdlibSources are the sources of the standard library that Python would compile at each start, because
// there is no bytecode for them that it accepts; Open reads them from the store. Left out is what
// applications do not import: tests, idlelib, turtledemo.
func (v *Variant) StdlibSources(ctx context.Context) ([]tree.Entry, error) {
	_, missing, err := stdlibBytecode(v.FS, v.Python)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	dir, _, err := v.extract(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]tree.Entry, len(missing))
	for i, m := range missing {
		e := m.source.Entry
		file := filepath.Join(dir, runtimeRoot, filepath.FromSlash(e.Path))
		e.Path, e.Open = m.path, tree.Path(file)
		entries[i] = e
	}
	return entries, nil
}

// extract makes sure that the interpreter is in the store, and says where.
func (v *Variant) extract(ctx context.Context) (string, extracted, error) {
	key := strings.Join([]string{runtimeVersion, v.Digest.String(), v.Python.Path}, " ")
	dir, err := v.base.options.Store.Dir(ctx, "base-python", key, func(dir string) error {
		return v.fill(ctx, dir)
	})
	if err != nil {
		return "", extracted{}, fmt.Errorf("%s (%s): extracting its Python: %w", v.base.Ref, v.Platform, err)
	}
	var x extracted
	b, err := os.ReadFile(filepath.Join(dir, runtimeFile))
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	return dir, x, err
}

func (v *Variant) fill(ctx context.Context, dir string) error {
	root := filepath.Join(dir, runtimeRoot)
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	id := identifier{newScratch(v.FS, root), v.machine, environment(v.Config.Config.Env)}
	files, err := v.stdlibFiles()
	if err != nil {
		return err
	}
	program, loader := strings.TrimPrefix(v.Python.Path, "/"), v.Libc.Loader
	first := append([]string{program, loader}, files...)
	if err := id.fetch(ctx, append(first, id.worthLoading(program)...)...); err != nil {
		return err
	}
	x := extracted{Program: program}
	if x.Loader, err = v.FS.Resolve(loader); err != nil {
		return err
	}
	c := closure{identifier: id, dirs: map[string]bool{}, done: map[string]bool{}}
	if err := c.of(ctx, program, files); err != nil {
		return err
	}
	if err := id.link(append(c.libraries, files...)); err != nil {
		return err
	}
	x.Libraries, x.Rigid = c.order, c.rigid
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, runtimeFile), b, 0o644)
}

// stdlibFiles are the sources, bytecode and extension modules of the standard library.
func (v *Variant) stdlibFiles() ([]string, error) {
	dir, err := v.FS.Resolve(v.Python.Stdlib)
	if err != nil {
		return nil, err
	}
	var files []string
	err = v.FS.Walk(dir, func(n rootfs.Node) error {
		switch {
		case n.Kind == tree.Dir && leftOut(n.Path) && path.Base(n.Path) != "__pycache__":
			return fs.SkipDir
		case n.Kind == tree.Dir:
			return nil
		case strings.HasSuffix(n.Path, ".pyc") && !strings.HasSuffix(n.Path, "."+v.Python.CacheTag+".pyc"):
			return nil
		}
		if _, ok := followed(v.FS, n.Path); ok {
			files = append(files, n.Path)
		}
		return nil
	})
	return files, err
}

// link makes the names of files that are links in the image: what they lead to was fetched under its own
// name.
func (s *scratch) link(names []string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		name = strings.TrimPrefix(name, "/")
		real, ok := s.file(name)
		if !ok || real == name {
			continue
		}
		target, err := filepath.Rel(filepath.FromSlash(path.Dir(name)), filepath.FromSlash(real))
		if err != nil {
			return err
		}
		if err := root.MkdirAll(filepath.FromSlash(path.Dir(name)), 0o755); err != nil {
			return err
		}
		if err := root.Symlink(target, filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	return nil
}
