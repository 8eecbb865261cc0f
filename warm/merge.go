package warm

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// source is a directory of the image whose files the venv shows: a wheel's chroot or an import root of the application.
type source struct {
	name   string // for messages
	origin string // the distribution, "" for the application
	dir    string // absolute
	app    bool   // changes with the code: what comes from it goes into the app unit
	// total counts the files below each directory of dir that ship, shown or not. A directory is
	// linked whole only if all of them are shown.
	total map[string]int
	files map[string]tree.Entry // by path below dir
	pycs  map[string]tree.Entry // by the path of their source below dir
	rows  map[string]wheel.Row  // what RECORD says of files; nil for the application
}

// count fills total.
func (s *source) count() {
	s.total = map[string]int{}
	for name := range s.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			s.total[dir]++
		}
	}
}

// leaf is a file that the venv shows: one of a source, or one that is written for the venv.
type leaf struct {
	from *source
	at   string      // below from.dir
	made *tree.Entry // what is written in place of a link; its path and origin are set when it is emitted
	copy bool        // a file of its own in place of a link
}

// entry is the file behind a leaf.
func (l *leaf) entry() tree.Entry {
	if l.made != nil {
		return *l.made
	}
	return l.from.files[l.at]
}

// sameContent tells whether two providers of a path mean the same file. RECORDs spare most of the reading.
func sameContent(a, b *leaf) (bool, error) {
	x, y := a.entry(), b.entry()
	if x.Kind != y.Kind || x.Size != y.Size || x.Link != y.Link {
		return false, nil
	}
	if x.Kind != tree.File {
		return true, nil
	}
	if a.made == nil && b.made == nil {
		p, q := a.from.rows[a.at].Hash, b.from.rows[b.at].Hash
		if algorithm, _, _ := strings.Cut(p, "="); p != "" && strings.HasPrefix(q, algorithm+"=") {
			return p == q, nil
		}
	}
	k, l := newKey(), newKey()
	if err := k.addFile(x); err != nil {
		return false, err
	}
	if err := l.addFile(y); err != nil {
		return false, err
	}
	return k.String() == l.String(), nil
}

// node is a name in the merged venv: a file, or a directory with names.
type node struct {
	kids map[string]*node
	leaf *leaf
	real bool // a directory that is not to be a link, whoever provides it

	// What sum found: all files below come from the directory dir of from, and are as many as files.
	from  *source
	dir   string
	files int
}

// merged is the venv: who provides a file first wins it. It is the copies mode of pex's venv
// (pex/venv/installer.py), seen as names instead of files.
type merged struct {
	root *node
	p    place
	// Files that pexko writes: for any application, and for this one.
	own, ownApp *source
}

func newMerged(p place) *merged {
	const name = "pexko's own files"
	return &merged{root: &node{}, p: p, own: &source{name: name}, ownApp: &source{name: name, app: true}}
}

// ClashError is a path that is a file of one provider and a directory of another.
type ClashError struct{ Path, First, Second string }

// Error names the path and both providers.
func (e *ClashError) Error() string {
	return fmt.Sprintf("%s: a file for one and a directory for the other of %s and %s; they cannot be installed together", e.Path, e.First, e.Second)
}

// add puts a file at a path below the venv, unless there is one. It reports whether it did.
func (m *merged) add(at string, l *leaf) (bool, error) {
	n := m.root
	for name := range strings.SplitSeq(at, "/") {
		if n.leaf != nil {
			return false, &ClashError{at, n.leaf.from.name, l.from.name}
		}
		kid := n.kids[name]
		if kid == nil {
			if n.kids == nil {
				n.kids = map[string]*node{}
			}
			kid = &node{}
			n.kids[name] = kid
		}
		n = kid
	}
	if n.kids != nil {
		return false, &ClashError{at, n.anyLeaf().from.name, l.from.name}
	}
	if n.leaf != nil {
		return false, nil
	}
	n.leaf = l
	return true, nil
}

// write puts a file of pexko's own, also in place of one that was reserved under its name.
func (m *merged) write(at string, made tree.Entry, s *source) error {
	if n := m.find(at); n != nil && n.leaf != nil && n.leaf.from == s {
		n.leaf.made = &made
		return nil
	}
	_, err := m.add(at, &leaf{from: s, made: &made})
	return err
}

func (n *node) anyLeaf() *leaf {
	for n.leaf == nil {
		n = n.kids[sorted(n.kids)[0]]
	}
	return n.leaf
}

// find returns what is at a path below the venv, nil if nothing is.
func (m *merged) find(at string) *node {
	n := m.root
	for name := range strings.SplitSeq(at, "/") {
		if n = n.kids[name]; n == nil {
			return nil
		}
	}
	return n
}

// keep makes the directory at a path below the venv, and those above it, real.
func (m *merged) keep(dir string) {
	n := m.root
	n.real = true
	for name := range strings.SplitSeq(dir, "/") {
		if n = n.kids[name]; n == nil || n.leaf != nil {
			return
		}
		n.real = true
	}
}

// sum finds out, from the leaves up, which directories one source provides alone.
func (n *node) sum(name string) {
	if l := n.leaf; l != nil {
		n.from, n.files = l.from, 1
		if n.dir = path.Dir(l.at); l.made != nil || path.Base(l.at) != name {
			n.from = nil
		}
		return
	}
	first := true
	for _, kidName := range sorted(n.kids) {
		kid := n.kids[kidName]
		kid.sum(kidName)
		n.files += kid.files
		switch {
		case first:
			n.from, n.dir, first = kid.from, kid.dir, false
		case n.from != kid.from || n.dir != kid.dir:
			n.from = nil
		}
	}
	if n.from == nil {
		return
	}
	// The files lie in n.dir; whoever looks at n from above wants to know where n itself lies.
	n.whole()
	if path.Base(n.dir) != name || n.dir == "." {
		n.from = nil
		return
	}
	n.dir = path.Dir(n.dir)
}

// whole clears from if the directory holds files that the venv does not show.
func (n *node) whole() {
	if n.from != nil && n.from.total[n.dir] != n.files {
		n.from = nil
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
