package warm

import (
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
)

// emitted are the entries of the merged venv. What depends on the dependencies alone goes to venv, what comes
// from the project or the application to app. A directory that both fill is venv's.
type emitted struct {
	venv, app tree.Tree
	dirs      map[string]bool // absolute path; true if venv's
	m         *merged
}

// emit turns names into entries: links to directories where one source provides all, else directories and
// links to files. The bytecode of a file that is linked alone is linked beside it, so it always follows its source.
func (m *merged) emit() emitted {
	e := emitted{m: m, dirs: map[string]bool{}}
	e.dir(m.root, m.p.venv())
	for _, dir := range sorted(e.dirs) {
		if d := tree.NewDir(in(dir)); e.dirs[dir] {
			e.venv = append(e.venv, d)
		} else {
			e.app = append(e.app, d)
		}
	}
	e.venv.Sort()
	e.app.Sort()
	return e
}

func (e *emitted) dir(n *node, at string) {
	for _, name := range sorted(n.kids) {
		kid, to := n.kids[name], path.Join(at, name)
		switch {
		case kid.leaf != nil:
			e.file(kid.leaf, to)
		case kid.from != nil && !kid.real:
			e.link(to, path.Join(kid.from.dir, kid.dir, name), kid.from)
		default:
			e.dir(kid, to)
		}
	}
}

func (e *emitted) file(l *leaf, at string) {
	switch {
	case l.made != nil:
		made := *l.made
		made.Path = in(at)
		e.add(made, l.from.app)
		return
	case l.copy:
		file := l.from.files[l.at]
		file.Path, file.Mode, file.Origin = in(at), 0o755, l.from.origin
		e.add(file, l.from.app)
	default:
		e.link(at, path.Join(l.from.dir, l.at), l.from)
	}
	if pyc, ok := l.from.pycs[l.at]; ok {
		e.link(path.Join(path.Dir(at), "__pycache__", path.Base(pyc.Path)), path.Join(l.from.dir, pyc.Path), l.from)
	}
}

func (e *emitted) link(at, to string, s *source) {
	entry := link(at, to)
	entry.Origin = s.origin
	e.add(entry, s.app)
}

// add gives an entry to its unit, with the directories that lead to it.
func (e *emitted) add(entry tree.Entry, app bool) {
	if app {
		e.app = append(e.app, entry)
	} else {
		e.venv = append(e.venv, entry)
	}
	for dir := path.Dir("/" + entry.Path); strings.HasPrefix(dir, e.m.p.venv()); dir = path.Dir(dir) {
		e.dirs[dir] = e.dirs[dir] || !app
	}
}
