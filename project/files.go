package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// namedFiles are the files of the setting files, at their places below /app. Naming a path overrules the lists
// that would leave it out; inside a directory, ownRules, secretRules and exclude still hold.
func (p *Project) namedFiles(w *walk) (tree.Tree, []string, error) {
	inner := &walk{root: w.root, rules: w.rules.withoutLists(), strict: true}
	var all tree.Tree
	for _, source := range slices.Sorted(maps.Keys(p.Settings.Files)) {
		target := p.Settings.Files[source]
		files, err := inner.named(source, target.Value)
		if errors.Is(err, fs.ErrNotExist) {
			err = wrong(target.From, "%s: no such file or directory in the project", source)
		}
		if err != nil {
			return nil, nil, err
		}
		all = append(all, files...)
	}
	return all, inner.secrets, nil
}

// named takes the file or directory source to the path target. A link that is named is followed.
func (w *walk) named(source, target string) (tree.Tree, error) {
	info, err := w.root.Stat(source)
	if err != nil {
		return nil, err
	}
	if w.rules.neverWithin(source) {
		return nil, &FileError{source, "is never put into an image: a repository's history, an environment, or what pexko writes", ""}
	}
	if !info.IsDir() {
		if target == "." {
			target = path.Base(source)
		}
		e, err := w.leaf(source, info)
		e.Path = target
		return tree.Tree{e}, err
	}
	w.files = nil
	if err := w.directory(source, scope{}, named); err != nil {
		return nil, err
	}
	return moved(w.files, source, target)
}

// moved takes the entries from one directory to another. Links keep their targets, so they must not leave it.
func moved(files tree.Tree, from, to string) (tree.Tree, error) {
	if from == to {
		return files, nil
	}
	var all tree.Tree
	for _, e := range files {
		if end := path.Join(path.Dir(e.Path), e.Link); e.Kind == tree.Symlink && !below(from, end) {
			return nil, &FileError{e.Path, fmt.Sprintf("links to %s, which does not come along to %s", e.Link, to), "name what it links to instead, or exclude it"}
		}
		e.Path = path.Join(to, strings.TrimPrefix(e.Path, prefixOf(from)))
		all = append(all, e)
	}
	return all, nil
}

func below(dir, name string) bool {
	return name == dir || strings.HasPrefix(name, prefixOf(dir)) && !strings.HasPrefix(name, "../") && name != ".."
}

// prefixOf is what the paths in a directory begin with.
func prefixOf(dir string) string {
	if dir == "." {
		return ""
	}
	return dir + "/"
}

// overlay puts the files of upper over those of lower; the same path is taken from upper.
func overlay(lower, upper tree.Tree) tree.Tree {
	at := map[string]int{}
	var all tree.Tree
	for _, e := range slices.Concat(lower, upper) {
		if i, twice := at[e.Path]; twice {
			all[i] = e
			continue
		}
		at[e.Path] = len(all)
		all = append(all, e)
	}
	return all
}

// checkFiles refuses a file where another entry needs a directory, which only the setting files can cause.
func (p *Project) checkFiles() error {
	leaves := map[string]bool{}
	for _, e := range p.Files {
		leaves[e.Path] = true
	}
	for _, e := range p.Files {
		for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
			if leaves[dir] {
				return &FileError{e.Path, dir + " is a file in the image", "choose another target in files of [tool.pexko]"}
			}
		}
	}
	return p.Files.Validate()
}
