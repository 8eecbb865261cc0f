package tree

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

const (
	// maxLinks bounds the links on the way to one file, as the kernel does (path_resolution(7)).
	maxLinks = 40
	// maxFollowed bounds what links to directories add: links to directories of links multiply.
	maxFollowed = 1 << 17
)

// Files returns the files of the tree, sorted, with links replaced by what they name: a file, or the files below
// a directory, under the link's name. Left out are a link that names nothing, and one to a directory above
// itself. One that leaves the tree is an error.
func (t Tree) Files() (Tree, error) {
	f := following{nodes: map[string]Entry{}, children: map[string][]Entry{}}
	for _, e := range t.WithParents(NewDir) {
		f.nodes[e.Path] = e
		parent := path.Dir(e.Path)
		f.children[parent] = append(f.children[parent], e)
	}
	for parent := range f.children {
		if parent != "." && f.nodes[parent].Kind != Dir {
			return nil, fmt.Errorf("%s: not a directory, and the tree has files below it", parent)
		}
	}
	if err := f.directory(".", ".", nil); err != nil {
		return nil, err
	}
	f.files.Sort()
	return f.files, nil
}

type following struct {
	nodes    map[string]Entry
	children map[string][]Entry
	followed int // entries below links to directories
	files    Tree
}

// directory adds the files of a directory as if it lay at name. Above are the directories that links led to.
func (f *following) directory(dir, name string, above []string) error {
	for _, e := range f.children[dir] {
		if err := f.entry(e, path.Join(name, path.Base(e.Path)), above); err != nil {
			return err
		}
	}
	return nil
}

func (f *following) entry(e Entry, name string, above []string) error {
	if len(above) > 0 {
		f.followed++
	}
	if f.followed > maxFollowed {
		return fmt.Errorf("%s: links to directories add more than %d files; leave some out", name, maxFollowed)
	}
	switch e.Kind {
	case File:
		e.Path = name
		f.files = append(f.files, e)
		return nil
	case Dir:
		return f.directory(e.Path, name, above)
	}
	to, err := f.resolve(e.Path)
	if errors.Is(err, errNowhere) {
		return nil
	}
	if err != nil {
		return err
	}
	above = append(above[:len(above):len(above)], path.Dir(e.Path))
	for _, dir := range above {
		if to == "." || dir == to || strings.HasPrefix(dir, to+"/") {
			return nil
		}
	}
	return f.entry(f.nodes[to], name, above)
}

var errNowhere = errors.New("no such file in the tree")

// resolve follows the links in a path, also those to its directories, to a file or directory of the tree.
func (f *following) resolve(link string) (string, error) {
	at, rest := ".", strings.Split(link, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		e := f.nodes[next]
		switch {
		case next == ".." || strings.HasPrefix(next, "../"), path.IsAbs(e.Link):
			return "", fmt.Errorf("%s: a link to %s, which leads out of the application's files; put the file itself there, or leave the link out", link, f.nodes[link].Link)
		case next != "." && e.Kind == 0, e.Kind == File && len(rest) > 1:
			return "", errNowhere
		case e.Kind != Symlink:
			at, rest = next, rest[1:]
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: more than %d links to follow", link, maxLinks)
		}
		rest = append(strings.Split(e.Link, "/"), rest[1:]...)
	}
	return at, nil
}
