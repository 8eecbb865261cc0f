package rootfs

import (
	"slices"
	"strings"
)

// node is one path of the merged tree.
type node struct {
	*record              // what the layer that won says; of the first name, for a further name of a file
	layer, index int32   // where the content is: the layer and the header's place in it
	born         int32   // the last layer that named this path
	hidden       int32   // 1 + the last layer that hid what is below; so no layer does it twice
	implied      bool    // no header names this directory: it is there for what it holds
	parent       *node   // nil for the root
	children     nodemap // of directories
}

type nodemap map[string]*node

// impliedDir is what engines make of a directory that holds something and has no header.
func impliedDir(parent *node, born int32) *node {
	return &node{
		record: &record{kind: dir, mode: 0o755}, born: born, layer: born, index: -1,
		implied: true, parent: parent, children: nodemap{},
	}
}

// hide removes what layers below "layer" brought under n, and n itself from its parent's view if nothing
// is left. It reports whether n is to stay.
func (n *node) hide(layer int32) bool {
	if n.hidden == layer+1 {
		return n.born >= layer || len(n.children) > 0
	}
	n.hidden = layer + 1
	for name, child := range n.children {
		if !child.hide(layer) {
			delete(n.children, name)
		}
	}
	return n.born >= layer || len(n.children) > 0
}

// names are the names of the children in order.
func (n *node) names() []string {
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
