package tree

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tree is a list of entries. The order carries no meaning until Sort.
type Tree []Entry

// Sort orders the tree by path, component by component, so that a directory stands right before what it
// holds; this is the order in which layers are written.
func (t Tree) Sort() {
	slices.SortFunc(t, func(a, b Entry) int { return Compare(a.Path, b.Path) })
}

// Compare orders two slash-separated paths component by component: "a/b" before "a-c".
func Compare(a, b string) int {
	return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
}

// Size is the sum of the sizes of the files in bytes.
func (t Tree) Size() int64 {
	var n int64
	for _, e := range t {
		n += e.Size
	}
	return n
}

// Under returns the tree moved below dir ("" leaves it where it is). Link targets are kept as they are.
func (t Tree) Under(dir string) Tree {
	moved := make(Tree, len(t))
	for i, e := range t {
		e.Path = path.Join(dir, e.Path)
		moved[i] = e
	}
	return moved
}

// Validate reports the first entry that breaks the invariant of the package.
func (t Tree) Validate() error {
	seen := make(map[string]bool, len(t))
	for _, e := range t {
		if err := e.validate(); err != nil {
			return err
		}
		if seen[e.Path] {
			return fmt.Errorf("%s: twice in one tree", e.Path)
		}
		seen[e.Path] = true
	}
	return nil
}

func (e Entry) validate() error {
	switch {
	case !fs.ValidPath(e.Path) || e.Path == ".":
		return fmt.Errorf("%q: not a clean relative path", e.Path)
	case strings.ContainsRune(e.Path, 0):
		return fmt.Errorf("%q: a path with a NUL byte", e.Path)
	case e.Mode&^fs.ModePerm != 0 && (e.Kind != Dir || e.Mode&^(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0):
		return fmt.Errorf("%s: mode %v holds more than permission bits", e.Path, e.Mode)
	case e.Kind == File && (e.Open == nil || e.Size < 0):
		return fmt.Errorf("%s: a file without content", e.Path)
	case e.Kind == Symlink && e.Link == "":
		return fmt.Errorf("%s: a link without a target", e.Path)
	case e.Kind != File && (e.Open != nil || e.Size != 0), e.Kind != Symlink && e.Link != "":
		return fmt.Errorf("%s: content and kind disagree", e.Path)
	case e.Kind < Dir || e.Kind > Symlink:
		return fmt.Errorf("%s: unknown kind %d", e.Path, e.Kind)
	}
	return nil
}

// WithParents returns the sorted tree with a directory entry for every parent that it names without
// holding it. Parents are what dir returns for their path; NewDir serves where the base has no say.
func (t Tree) WithParents(dir func(path string) Entry) Tree {
	have := make(map[string]bool, len(t))
	for _, e := range t {
		have[e.Path] = true
	}
	full := slices.Clone(t)
	for _, e := range t {
		for p := path.Dir(e.Path); p != "." && !have[p]; p = path.Dir(p) {
			have[p] = true
			full = append(full, dir(p))
		}
	}
	full.Sort()
	return full
}
