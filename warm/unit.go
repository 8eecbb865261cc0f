package warm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// Kind says what a unit is, in the order of the layers.
type Kind uint8

// The kinds of units.
const (
	Stdlib    Kind = iota + 1 // bytecode of the base's standard library
	Bootstrap                 // pex's own code, and the default user's home
	Wheel                     // one installed wheel
	Venv                      // the venv, as far as the dependencies make it
	Application
)

// String is the name of the kind in messages and annotations.
func (k Kind) String() string {
	if k < Stdlib || k > Application {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return [...]string{"stdlib", "bootstrap", "wheel", "venv", "app"}[k-Stdlib]
}

// Unit is a part of the image that changes as a whole.
type Unit struct {
	Kind Kind
	// Name and Version are those of the distribution of a Wheel; the name of the others is that of their kind.
	Name, Version string
	// Key is the hex SHA-256 of what determines the bytes of the unit: equal keys, equal trees.
	Key string
	// Pure is true of a unit that is the same for all architectures, given the same Python.
	Pure bool
	// Tree holds the files and the directories that are this unit's own, sorted. Directories that it shares
	// with other units or the base ("pex", "pex/installed_wheels/3") are left to tree.Tree.WithParents.
	Tree tree.Tree
}

// keyFormat is part of every key; a change of what this package writes that no other part of a key shows needs a new one.
const keyFormat = "pexko-warm-1"

// keyOf hashes a list of strings.
func keyOf(parts ...string) string {
	h := newKey()
	h.add(parts...)
	return h.String()
}

// key is a hash of strings that cannot run into each other.
type key struct{ h hash.Hash }

func newKey() key {
	k := key{sha256.New()}
	k.add(keyFormat)
	return k
}

func (k key) add(parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(k.h, "%d:%s,", len(p), p)
	}
}

func (k key) String() string { return hex.EncodeToString(k.h.Sum(nil)) }

// addTree hashes everything that a layer records of a tree, contents included.
func (k key) addTree(t tree.Tree) error {
	for _, e := range t {
		k.add(e.Path, strconv.Itoa(int(e.Kind)), strconv.FormatUint(uint64(e.Mode), 8), strconv.Itoa(e.UID), strconv.Itoa(e.GID), e.Link)
		if e.Kind == tree.File {
			if err := k.addFile(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k key) addFile(e tree.Entry) error {
	k.add(strconv.FormatInt(e.Size, 10))
	r, err := e.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	defer r.Close()
	n, err := io.Copy(k.h, io.LimitReader(r, e.Size+1))
	if err != nil {
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	if n != e.Size {
		return fmt.Errorf("%s: has not the %d bytes that were announced; do not change it while it is packed", e.Path, e.Size)
	}
	return nil
}

// hashed makes a unit whose key is the hash of its tree.
func hashed(kind Kind, t tree.Tree) (Unit, error) {
	t.Sort()
	k := newKey()
	err := k.addTree(t)
	return Unit{Kind: kind, Name: kind.String(), Key: k.String(), Tree: t}, err
}

// compile registers the modules of a chroot. They are imported from the venv, wherever they lie.
func (c *chroot) compile(p place, mode bytecode.Mode, b *batch) {
	for _, s := range c.shown {
		if !strings.HasSuffix(s.at, ".py") || inBin(s.venv) {
			continue
		}
		b.add(path.Join(p.venv(), s.venv), mode, c.files[s.at], func(pyc tree.Entry) error {
			pyc.Path = bytecode.CacheName(s.at, p.py.tag)
			c.pycs[s.at] = pyc
			return nil
		})
	}
}

// tree is what ships of a chroot, with modes that depend on neither umask nor zip.
func (c *chroot) tree() tree.Tree {
	var t tree.Tree
	for name, e := range c.files {
		e.Mode = 0o644
		if c.executable(name) {
			e.Mode = 0o755
		}
		t = append(t, e)
	}
	for _, pyc := range c.pycs {
		t = append(t, pyc)
	}
	for i := range t {
		t[i].UID, t[i].GID, t[i].Origin = 0, 0, c.name
	}
	t = append(t.Under(in(c.dir)), tree.NewDir(in(path.Dir(c.dir))), tree.NewDir(in(c.dir)))
	return within(t, path.Dir(c.dir))
}

// within adds the directories below an absolute path that the entries need, and sorts.
func within(t tree.Tree, dir string) tree.Tree {
	full := t.WithParents(tree.NewDir)
	own := full[:0]
	for _, e := range full {
		if e.Path == in(dir) || strings.HasPrefix(e.Path, in(dir)+"/") {
			own = append(own, e)
		}
	}
	return own
}

// unit is the unit of a dependency. Its key is made of what determines it, so that it can be known before
// anything is compiled: the fingerprint covers names and contents, .layout.json aside, and no mode.
func (c *chroot) unit(p place, compiled bool) (Unit, error) {
	k := newKey()
	k.add("wheel", c.fingerprint, c.dir, p.venv(), p.py.compiler, p.py.lib, p.py.tag, strconv.FormatBool(compiled))
	for _, name := range sorted(c.files) {
		k.add(name, strconv.FormatBool(c.executable(name)))
		if name == layoutFile {
			if err := k.addFile(c.files[name]); err != nil {
				return Unit{}, err
			}
		}
	}
	return Unit{Kind: Wheel, Name: c.name, Version: c.version, Key: k.String(), Pure: c.pure, Tree: c.tree()}, nil
}

// source is the chroot as the merge sees it.
func (c *chroot) source() *source {
	s := &source{name: c.name, origin: c.name, dir: c.dir, app: c.project, files: c.files, pycs: c.pycs, rows: map[string]wheel.Row{}}
	for _, r := range c.record.Rows {
		s.rows[r.Path] = r
	}
	s.count()
	return s
}
