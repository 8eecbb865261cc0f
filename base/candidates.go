package base

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/tree"
)

// defaultPath is what container engines set where the image's config has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxCandidates is how many executables are looked into.
const maxCandidates = 32

var versioned = regexp.MustCompile(`^python3\.(\d{1,2})$`)

// candidate is an executable that is called like a Python.
type candidate struct {
	invoked string // absolute, as found
	real    string // relative to the root, without links
	how     string // why it would be taken
	offPath bool   // taken only if it is asked for
}

// candidates are the Pythons of an image in the order of preference, each executable once: on PATH python3,
// then python, then python3.X (in PATH's order, the newest of a directory first), then what lies in the
// bin directories that PATH does not name.
func candidates(fsys *rootfs.FS, searchPath string) []candidate {
	s := candidateSearch{fs: fsys, seen: map[string]bool{}}
	dirs := slices.DeleteFunc(strings.Split(searchPath, ":"), func(d string) bool { return !path.IsAbs(d) })
	for _, name := range []string{"python3", "python"} {
		for _, d := range dirs {
			s.add(candidate{invoked: path.Join(d, name), how: name + " on the image's PATH"})
		}
	}
	for _, d := range dirs {
		for _, name := range s.versionedIn(d) {
			s.add(candidate{invoked: path.Join(d, name), how: name + " on the image's PATH"})
		}
	}
	if len(s.all) > 0 {
		s.all[0].how = "first " + s.all[0].how
	}
	for _, p := range s.elsewhere() {
		s.add(candidate{invoked: p, how: "not on the image's PATH", offPath: true})
	}
	return s.all
}

type candidateSearch struct {
	fs   *rootfs.FS
	all  []candidate
	seen map[string]bool // executables
}

func (s *candidateSearch) add(c candidate) {
	real, ok := executable(s.fs, c.invoked)
	if !ok || s.seen[real] || len(s.all) >= maxCandidates {
		return
	}
	s.seen[real] = true
	c.real = real
	s.all = append(s.all, c)
}

// executable is the file that a path leads to, if it is one that can be executed.
func executable(fsys *rootfs.FS, name string) (string, bool) {
	real, err := fsys.Resolve(name)
	if err != nil {
		return "", false
	}
	e, ok := fsys.Stat(real)
	return real, ok && e.Kind == tree.File && e.Mode&0o111 != 0
}

func (s *candidateSearch) versionedIn(dir string) []string {
	nodes, err := s.fs.List(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, n := range nodes {
		if name := path.Base(n.Path); versioned.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return minorOf(b) - minorOf(a) })
	return names
}

func minorOf(name string) int {
	m := versioned.FindStringSubmatch(name)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// elsewhere finds Pythons in all bin directories.
func (s *candidateSearch) elsewhere() []string {
	var found []string
	_ = s.fs.Walk("", func(n rootfs.Node) error { // visit returns no error, and the root is a directory
		dir, name := path.Split(n.Path)
		if path.Base(dir) == "bin" && (name == "python3" || versioned.MatchString(name)) {
			found = append(found, "/"+n.Path)
		}
		return nil
	})
	return found
}
