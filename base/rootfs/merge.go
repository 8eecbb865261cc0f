package rootfs

import (
	"fmt"
	"path"
	"strings"
)

// Whiteouts, as image-spec's layer.md has them. Other names with the double prefix are bookkeeping of
// aufs, which engines pass over.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	aufs     = ".wh..wh."
)

// merger adds layers, the lowest first.
type merger struct {
	root    *node
	layer   int32 // the one at hand
	entries int
	names   int // bytes of names and link targets

	// The directory of the entry before, by the name that it was reached by: entries come in the order of directories.
	lastName string
	last     *node
}

func newMerger() *merger { return &merger{root: impliedDir(nil, 0)} }

// add merges the next layer.
func (m *merger) add(records []record) error {
	if m.entries += len(records); m.entries > maxEntries {
		return fmt.Errorf("the image has more than %d entries", maxEntries)
	}
	for i := range records {
		if m.names += len(records[i].name) + len(records[i].link); m.names > maxNames {
			return fmt.Errorf("the names of the image's entries have more than %d bytes", maxNames)
		}
		if err := m.entry(&records[i], int32(i)); err != nil {
			return fmt.Errorf("%s: %w", records[i].name, err)
		}
	}
	m.layer++
	m.last = nil
	return nil
}

func (m *merger) entry(r *record, index int32) error {
	if r.kind == skip {
		return nil
	}
	if r.name == "." {
		return m.rootEntry(r, index)
	}
	parent, name := path.Split(r.name)
	if strings.HasPrefix(name, whiteout) {
		m.last = nil
		return m.whiteout(path.Clean(parent), name)
	}
	if m.last == nil || m.lastName != parent {
		d, err := m.directory(path.Clean(parent))
		if err != nil {
			return err
		}
		m.last, m.lastName = d, parent
	}
	return m.place(m.last, name, r, index)
}

func (m *merger) rootEntry(r *record, index int32) error {
	if r.kind != dir {
		return fmt.Errorf("the root of the image is to be something else than a directory")
	}
	m.root.record, m.root.layer, m.root.index, m.root.implied = r, m.layer, index, false
	return nil
}

func (m *merger) place(d *node, name string, r *record, index int32) error {
	old := d.children[name]
	if r.kind == dir && old != nil && old.kind == dir {
		old.record, old.layer, old.index, old.born, old.implied = r, m.layer, index, m.layer, false
		return nil
	}
	n := &node{record: r, layer: m.layer, index: index, born: m.layer, parent: d}
	switch r.kind {
	case dir:
		n.children = nodemap{}
	case hard:
		first, err := m.first(r.link)
		if err != nil {
			return err
		}
		n.record, n.layer, n.index = first.record, first.layer, first.index
	}
	d.children[name] = n
	return nil
}

// first finds the file that a hard link is another name of.
func (m *merger) first(name string) (*node, error) {
	d := m.lookup(path.Dir(name))
	if d == nil || d.children[path.Base(name)] == nil {
		return nil, fmt.Errorf("a hard link to %s, which is not there", name)
	}
	n := d.children[path.Base(name)]
	if n.kind == dir {
		return nil, fmt.Errorf("a hard link to %s, which is a directory", name)
	}
	return n, nil
}

func (m *merger) whiteout(parent, name string) error {
	if name != opaque && strings.HasPrefix(name, aufs) {
		return nil
	}
	hidden := strings.TrimPrefix(name, whiteout)
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("a whiteout that names nothing")
	}
	d := m.lookup(parent)
	if d == nil {
		return nil // nothing below to hide
	}
	if name == opaque {
		d.hide(m.layer)
	} else if n := d.children[hidden]; n != nil && !n.hide(m.layer) {
		delete(d.children, hidden)
	}
	return nil
}

// lookup finds the directory that the layer at hand means by name; nil when there is none.
func (m *merger) lookup(name string) *node {
	w := walk{root: m.root, follow: func(n *node) bool { return n.born == m.layer }}
	n, err := w.to(name)
	if err != nil || n.kind != dir {
		return nil
	}
	return n
}

// directory is lookup, but makes the directories that are missing, and puts one in the place of what a
// layer below has there.
func (m *merger) directory(name string) (*node, error) {
	w := walk{
		root:   m.root,
		follow: func(n *node) bool { return n.born == m.layer },
		missing: func(d *node, name string) (*node, error) {
			n := impliedDir(d, m.layer)
			if old := d.children[name]; old != nil && old.born == m.layer {
				return nil, fmt.Errorf("%s is no directory in the same layer", name)
			}
			d.children[name] = n
			return n, nil
		},
	}
	return w.to(name)
}
