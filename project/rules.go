package project

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pexko/pexko/project/internal/ignore"
)

// rules says which paths of a directory are files of the project.
type rules struct {
	root             *os.Root
	prefix           string       // of the project's paths in its repository, "" or with a slash at the end
	outer            ignore.Stack // lists of directories of the repository above the project
	own, secret      ignore.Git
	include, exclude ignore.Git
	docker           ignore.Docker
	outputs          []os.FileInfo
	explicit         bool // no .gitignore counts: the user named the directory
}

// maxIgnoreFile bounds a .gitignore or .dockerignore; real ones have some kilobytes.
const maxIgnoreFile = 1 << 20

// decision is what becomes of one path.
type decision uint8

const (
	drop   decision = iota
	look            // a directory that is left out, in which a rule may yet bring something back
	keep            // by the rules
	secret          // left out because it may hold credentials
	bring           // kept because include names a directory above
	named           // kept because include names the path itself
)

// scope is what a directory passes on to what it holds.
type scope struct {
	lists ignore.Stack
	state decision // keep, look or bring
	build bool     // pyproject.toml or its like is there: build/ and dist/ are results
}

// newRules collects the rules of the project in root; dir is its absolute path.
func newRules(root *os.Root, dir string, s Settings, outputs []string) (*rules, error) {
	r := &rules{
		root: root, own: ignore.GitLines("", ownRules()), secret: ignore.GitLines("", secretRules()),
		include: ignore.GitLines("", s.Include.Value), exclude: ignore.GitLines("", s.Exclude.Value),
	}
	for _, name := range outputs {
		if info, err := os.Stat(name); name != "" && err == nil {
			r.outputs = append(r.outputs, info)
		}
	}
	if err := r.readDocker(); err != nil {
		return nil, err
	}
	return r, r.readOuter(dir)
}

func (r *rules) readDocker() error {
	text, err := r.ignoreFile(".dockerignore")
	if err != nil {
		return err
	}
	if r.docker, err = ignore.ParseDocker(text); err != nil {
		return &FileError{Path: ".dockerignore", Problem: err.Error(), Fix: "docker refuses it too; correct the line"}
	}
	return nil
}

// readOuter finds the repository that the project is a part of and reads its lists from the top down. If they leave
// out the project itself they are for something else, and none of them counts.
func (r *rules) readOuter(dir string) error {
	top := repository(dir)
	if top == "" || top == dir {
		return nil
	}
	rel, err := filepath.Rel(top, dir)
	if err != nil {
		return err
	}
	var outer ignore.Stack
	parts := strings.Split(filepath.ToSlash(rel), "/")
	for i := range parts {
		above := strings.Join(parts[:i], "/")
		text, err := regularFile(filepath.Join(top, filepath.FromSlash(above), ".gitignore"))
		if err != nil {
			return err
		}
		outer = append(outer, ignore.ParseGit(above, text))
		if outer.Match(strings.Join(parts[:i+1], "/"), true) == ignore.Out {
			return nil
		}
	}
	r.outer, r.prefix = outer, filepath.ToSlash(rel)+"/"
	return nil
}

// repository is the nearest directory, dir or above, that holds .git; "" if none does.
func repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// enter is the scope of a directory that holds the given names. What is in a directory may say that it is no part
// of the project, whatever its own name says; state then is drop or look.
func (r *rules) enter(outer scope, dir string, d decision, names map[string]bool) (scope, error) {
	s := scope{lists: outer.lists, state: d}
	if d == named {
		s.state = bring
	}
	switch {
	case dir != "." && slices.ContainsFunc(foreign(), func(mark string) bool { return names[mark] }):
		s.state = drop
	case dir != "." && d != named && d != look && r.isLeftover(outer, dir, names):
		s.state = r.dropOrLook(dir, true)
	}
	s.build = names["pyproject.toml"] || names["setup.py"] || names["setup.cfg"]
	if s.state == drop || r.explicit || !names[".gitignore"] {
		return s, nil
	}
	text, err := r.ignoreFile(path.Join(dir, ".gitignore"))
	s.lists = append(slices.Clone(s.lists), ignore.ParseGit(path.Join(r.prefix, dir), text))
	return s, err
}

// decide says what becomes of the entry name (relative to the project) in the directory of the scope. Of a directory
// enter has the last word.
func (r *rules) decide(in scope, name string, info fs.FileInfo) decision {
	dir := info.IsDir()
	switch {
	case r.never(name, info), r.exclude.Match(name, dir) == ignore.Out:
		return drop
	case r.include.Match(name, dir) == ignore.Out:
		return named
	case r.own.Match(name, dir) == ignore.Out:
		return r.dropOrLook(name, dir)
	case in.state == bring && r.secret.Match(name, dir) != ignore.Out:
		return bring
	case in.state == bring:
		return secret
	case in.state == look, in.lists.Match(r.prefix+name, dir) == ignore.Out:
		return r.dropOrLook(name, dir)
	case r.docker.Out(name):
		if dir && r.docker.Reaches() {
			return keep // docker judges each path by itself, so what it holds is asked about anew
		}
		return r.dropOrLook(name, dir)
	case r.secret.Match(name, dir) == ignore.Out:
		return secret
	}
	return keep
}

func (r *rules) dropOrLook(name string, dir bool) decision {
	if dir && r.include.Reaches(name) {
		return look
	}
	return drop
}

// never is what no setting brings back: histories, and what pexko writes.
func (r *rules) never(name string, info fs.FileInfo) bool {
	return slices.Contains(versionControl(), path.Base(name)) ||
		slices.ContainsFunc(r.outputs, func(o os.FileInfo) bool { return os.SameFile(o, info) })
}

// neverWithin is never, and environments, for a path or a directory on the way to it.
func (r *rules) neverWithin(name string) bool {
	for ; name != "."; name = path.Dir(name) {
		info, err := r.root.Stat(name)
		mark := func(mark string) bool { _, err := r.root.Lstat(path.Join(name, mark)); return err == nil }
		if err == nil && (r.never(name, info) || slices.ContainsFunc(foreign(), mark)) {
			return true
		}
	}
	return false
}

// isLeftover knows the results of builds, and caches by the Cache Directory Tagging Specification
// (bford.info/cachedir), which uv, mypy, ruff and pexko's own cache follow.
func (r *rules) isLeftover(outer scope, dir string, names map[string]bool) bool {
	base := path.Base(dir)
	if outer.build && (base == "build" || base == "dist") && !names["__init__.py"] {
		return true
	}
	if !names["CACHEDIR.TAG"] {
		return false
	}
	f, err := os.Open(filepath.Join(r.root.Name(), filepath.FromSlash(dir), "CACHEDIR.TAG"))
	if err != nil {
		return false
	}
	defer f.Close()
	const signature = "Signature: 8a477f597d28d172789f06886806bc55"
	head := make([]byte, len(signature))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == signature
}

// withoutLists are the rules inside a directory that the setting files names: no list of the repository, no include.
func (r *rules) withoutLists() *rules {
	few := *r
	few.docker, few.include, few.explicit = ignore.Docker{}, ignore.Git{}, true
	return &few
}

// ignoreFile reads a list of the project; what is no regular file is none, as for git.
func (r *rules) ignoreFile(name string) ([]byte, error) {
	return regularFile(filepath.Join(r.root.Name(), filepath.FromSlash(name)))
}

func regularFile(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := readLimited(name, maxIgnoreFile)
	if err != nil {
		return nil, fmt.Errorf("ignore list: %w", err)
	}
	return text, nil
}
