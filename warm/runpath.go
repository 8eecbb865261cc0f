package warm

import (
	"path"
	"strings"
)

// $ORIGIN/../../other/lib is resolved by the kernel from the directory that $ORIGIN names, so a ".." after a
// directory link leads to where the link leads, not to where it stands. Wheels that look for another wheel's
// libraries that way (NVIDIA's look for ../../cublas/lib) therefore need real directories down to the library. The
// library itself may be a link: for one that is loaded, $ORIGIN is the directory of the name it was loaded by. For a
// program it is the directory of the file behind all links, so a program that looks elsewhere is a copy.

// honourRunpaths makes real what has to be, once sum has found out who provides what.
func (b *build) honourRunpaths() {
	for i, c := range b.chroots {
		s := b.sources[len(b.code.roots)+i]
		for _, n := range c.natives {
			venv, err := c.scheme(n.at, b.p)
			if err != nil {
				continue // not shown
			}
			node := b.m.find(venv)
			if node == nil || node.leaf == nil || node.leaf.from != s || node.leaf.at != n.at {
				continue
			}
			for _, rest := range n.runpath {
				if b.m.leaves(s, n.at, venv, rest) {
					b.m.keep(path.Dir(venv))
					node.leaf.copy = n.program
				}
			}
		}
	}
}

// leaves tells whether $ORIGIN/rest, from a file of a source, is a directory with libraries that are not at the
// same place relative to the file within its source.
func (m *merged) leaves(s *source, at, venv, rest string) bool {
	seen := path.Join(m.p.venv(), path.Dir(venv), rest)
	there := path.Join(s.dir, path.Dir(at), rest)
	below, inside := under(seen, m.p.venv())
	if !inside {
		return seen != m.p.venv()
	}
	if below == "lib64" || strings.HasPrefix(below, "lib64/") {
		below = "lib" + strings.TrimPrefix(below, "lib64")
	}
	n := m.find(below)
	if n == nil {
		return false
	}
	for name, kid := range n.kids {
		if kid.leaf != nil && strings.Contains(name, ".so") && (kid.leaf.from != s || path.Join(s.dir, kid.leaf.at) != path.Join(there, name)) {
			return true
		}
	}
	return false
}
