package base

import (
	"encoding/binary"
	"io/fs"
	"path"
	"strings"

	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/tree"
)

// The states of a standard library's bytecode.
const (
	Complete = "complete"
	Partial  = "partial"
	None     = "none"
)

// StdlibBytecode says how much of a standard library Python loads as bytecode, not counting what
// StdlibSources leaves out.
type StdlibBytecode struct {
	State             string // Complete, Partial or None
	Sources, Compiled int    // modules, and those of them with a pyc that Python accepts
}

// passedOver are the directories of a standard library that no application imports, or that are not part
// of it.
var passedOver = map[string]bool{
	"test": true, "tests": true, "idlelib": true, "turtledemo": true, "idle_test": true,
	"site-packages": true, "dist-packages": true, "__pycache__": true,
}

// module is a source file of the standard library.
type module struct {
	path     string // where it is imported from
	source   rootfs.Node
	compiled bool
}

// modules lists the sources of the standard library, in the order of the tree.
func modules(fsys *rootfs.FS, p Python) ([]module, error) {
	dir, err := fsys.Resolve(p.Stdlib)
	if err != nil {
		return nil, err
	}
	_, minor := p.release()
	var all []module
	err = fsys.Walk(dir, func(n rootfs.Node) error {
		if n.Kind == tree.Dir && leftOut(n.Path) {
			return fs.SkipDir
		}
		if path.Ext(n.Path) != ".py" {
			return nil
		}
		if source, ok := followed(fsys, n.Path); ok {
			pyc, _ := followed(fsys, pycOf(n.Path, p.CacheTag))
			all = append(all, module{n.Path, source, accepts(pyc.Head, magic[minor], source)})
		}
		return nil
	})
	return all, err
}

func leftOut(dir string) bool {
	name := path.Base(dir)
	return passedOver[name] || strings.HasPrefix(name, "config-3")
}

// followed is the regular file that name leads to.
func followed(fsys *rootfs.FS, name string) (rootfs.Node, bool) {
	real, err := fsys.Resolve(name)
	if err != nil {
		return rootfs.Node{}, false
	}
	n, ok := fsys.Lookup(real)
	return n, ok && n.Kind == tree.File
}

func pycOf(source, cacheTag string) string {
	dir, name := path.Split(source)
	return path.Join(dir, "__pycache__", strings.TrimSuffix(name, ".py")+"."+cacheTag+".pyc")
}

// accepts says whether Python loads the bytecode with the head for the source (PEP 552, and
// SourceFileLoader.get_code): the magic number is its own, and either it is not to check the source, or the
// source has the time and size that the head says. Bytecode that checks the source's hash is not counted:
// nothing installs a standard library like that, and finding out takes the content.
func accepts(head []byte, magic uint16, source rootfs.Node) bool {
	if len(head) < 16 || binary.LittleEndian.Uint16(head) != magic || head[2] != '\r' || head[3] != '\n' {
		return false
	}
	switch binary.LittleEndian.Uint32(head[4:]) {
	case 0:
		return binary.LittleEndian.Uint32(head[8:]) == uint32(source.ModTime.Unix()) &&
			binary.LittleEndian.Uint32(head[12:]) == uint32(source.Size)
	case 1:
		return true
	}
	return false
}

// stdlibBytecode counts, and lists the modules that Python would compile at each start.
func stdlibBytecode(fsys *rootfs.FS, p Python) (StdlibBytecode, []module, error) {
	all, err := modules(fsys, p)
	if err != nil {
		return StdlibBytecode{}, nil, err
	}
	b := StdlibBytecode{State: Partial, Sources: len(all)}
	var missing []module
	for _, m := range all {
		if m.compiled {
			b.Compiled++
		} else {
			missing = append(missing, m)
		}
	}
	switch b.Compiled {
	case b.Sources:
		b.State = Complete
	case 0:
		b.State = None
	}
	return b, missing, nil
}
