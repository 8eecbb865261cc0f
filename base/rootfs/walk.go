package rootfs

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many links a path may lead through (MAXSYMLINKS of Linux).
const maxLinks = 40

// walk finds paths in a tree of nodes, in the way in which a process in a chroot would: an absolute link
// starts at the root, and ".." of the root is the root.
type walk struct {
	root *node
	// follow says whether a link on the way is followed; nil follows all.
	follow func(*node) bool
	// missing supplies a directory where the path leads through something that is none, or nothing; nil is an error.
	missing func(d *node, name string) (*node, error)
	// last says whether a link at the path's end is followed too.
	last bool

	names []string // of the way from the root to the node at hand
}

// to walks from the root along name, which is slash-separated.
func (w *walk) to(name string) (*node, error) {
	w.names = nil
	n, links := w.root, 0
	rest := split(name)
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			n = w.up(n)
			continue
		}
		child := n.children[part]
		if child != nil && child.kind == link && w.follows(child, len(rest) == 0) {
			if links++; links > maxLinks {
				return nil, syscall.ELOOP
			}
			if path.IsAbs(child.link) {
				n, w.names = w.root, nil
			}
			rest = append(split(child.link), rest...)
			continue
		}
		next, err := w.down(n, part, child, len(rest) == 0)
		if err != nil {
			return nil, err
		}
		n = next
		w.names = append(w.names, part)
	}
	return n, nil
}

func (w *walk) follows(n *node, end bool) bool {
	if w.follow != nil {
		return w.follow(n)
	}
	return w.last || !end
}

func (w *walk) up(n *node) *node {
	if n.parent == nil {
		return n
	}
	w.names = w.names[:len(w.names)-1]
	return n.parent
}

func (w *walk) down(n *node, name string, child *node, end bool) (*node, error) {
	switch {
	case child != nil && (child.kind == dir || end && w.missing == nil):
		return child, nil
	case w.missing != nil:
		return w.missing(n, name)
	case child != nil:
		return nil, errNotDir
	}
	return nil, fs.ErrNotExist
}

var errNotDir = errors.New("not a directory")

func split(name string) []string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." {
			parts = append(parts, part)
		}
	}
	return parts
}
