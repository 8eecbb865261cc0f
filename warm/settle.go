package warm

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pexko/pexko/base"
	"github.com/pexko/pexko/internal/tree"
)

// settle moves what lies outside of PEX_ROOT to where the base's own links lead. Directories that the base has in
// the app directory, itself included, keep the mode and owner that they have there.
func (t *Tree) settle(base *base.FS, p place) error {
	for _, dir := range []string{p.app, p.home} {
		to, err := base.Resolve(dir)
		if errors.Is(err, fs.ErrNotExist) {
			to, err = base.Place(dir)
		}
		if err != nil {
			return fmt.Errorf("%s in the base: %w", dir, err)
		}
		there, ok := base.Stat(to)
		if ok && there.Kind != tree.Dir {
			return fmt.Errorf("%s is a file in the base; take another base", dir)
		}
		ground := base
		if !ok || dir != p.app {
			ground = nil
		}
		if to == in(dir) && ground == nil {
			continue
		}
		if err := t.move(in(dir), to, ground); err != nil {
			return err
		}
	}
	return nil
}

// move gives the entries at and below a path another one, and settles each of them in the base unless that is nil.
func (t *Tree) move(from, to string, ground *base.FS) error {
	for i := range t.Units {
		u := &t.Units[i]
		if !move(u.Tree, from, to) {
			continue
		}
		if ground != nil {
			var err error
			if u.Tree, err = settled(u.Tree, to, ground); err != nil {
				return err
			}
		}
		moved, err := hashed(u.Kind, u.Tree)
		if err != nil {
			return err
		}
		u.Key, u.Tree = moved.Key, moved.Tree
	}
	return nil
}

// move gives the entries at and below a path another one; it tells whether there are any.
func move(t tree.Tree, from, to string) bool {
	found := false
	for i, e := range t {
		if below, ok := strings.CutPrefix(e.Path+"/", from+"/"); ok {
			t[i].Path = path.Join(to, below)
			found = true
		}
	}
	return found
}

// settled is the tree with what lies at and below a directory of the base where the base's links put it. Two
// directories may come to be one there.
func settled(t tree.Tree, dir string, base *base.FS) (tree.Tree, error) {
	var all tree.Tree
	from := map[string]tree.Entry{} // what comes to a path
	for _, e := range t {
		was := e.Path
		if strings.HasPrefix(was+"/", dir+"/") {
			var err error
			if e, err = settledEntry(e, base); err != nil {
				return nil, err
			}
		}
		other, taken := from[e.Path]
		switch {
		case taken && other.Kind == tree.Dir && e.Kind == tree.Dir:
			continue
		case taken:
			return nil, fmt.Errorf("links of the base make /%s and another file of the application one, /%s; rename it or take another base", was, e.Path)
		}
		from[e.Path] = e
		all = append(all, e)
	}
	return all, nil
}

// settledEntry is the entry as it has to be in a layer above the base.
func settledEntry(e tree.Entry, base *base.FS) (tree.Entry, error) {
	at, err := settledPath(e, base)
	if err != nil {
		return e, fmt.Errorf("/%s: the base has something there that leads to no directory; rename it or take another base: %w", e.Path, err)
	}
	if e.Kind == tree.Symlink && !path.IsAbs(e.Link) && path.Dir(at) != path.Dir(e.Path) {
		e.Link = relative("/"+path.Dir(at), path.Join("/", path.Dir(e.Path), e.Link)) // it leads where it led
	}
	e.Path = at
	there, ok := base.Stat(at)
	switch {
	case ok && there.Kind == tree.Dir && e.Kind == tree.Dir:
		e.Mode, e.UID, e.GID = there.Mode, there.UID, there.GID
	case ok && there.Kind == tree.Dir:
		return e, fmt.Errorf("/%s is a directory in the base, which a file of that name would delete; rename it or take another base", at)
	}
	return e, nil
}

// settledPath is where the entry lies behind the base's links. A directory's own name may be one, also a dangling one.
func settledPath(e tree.Entry, base *base.FS) (string, error) {
	if e.Kind != tree.Dir {
		return base.Place(e.Path)
	}
	below, err := base.Place(path.Join(e.Path, "x"))
	return path.Dir(below), err
}
