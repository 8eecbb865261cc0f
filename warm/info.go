package warm

import (
	"path"
	"strings"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// Every distribution's .dist-info is a directory of the venv's own: METADATA and the like are linked, and
// RECORD, INSTALLER and REQUESTED say what is true of the venv, not of the chroot. As pex has it (pep_427.py,
// install_wheel), every distribution is REQUESTED and no .pyc is recorded, which PEP 376's successor
// ("Recording installed projects") permits; unlike pex, a file that another distribution won has that one's hash.

const installer = "pex\n"

// claim reserves the three files, so that the directory is a real one. Their content is written by info.
func (c *chroot) claim(m *merged, s *source) error {
	for _, name := range []string{"INSTALLER", "REQUESTED", "RECORD"} {
		if err := m.write(c.infoPath(m.p, name), tree.NewFile(name, 0o644, nil), s); err != nil {
			return err
		}
	}
	return nil
}

func (c *chroot) infoPath(p place, name string) string { return path.Join(p.libs(), c.info, name) }

// writeInfo fills in what claim reserved, when it is known who won which file.
func (c *chroot) writeInfo(m *merged) error {
	content := map[string][]byte{"INSTALLER": []byte(installer), "REQUESTED": nil}
	r := wheel.Record{CRLF: c.record.CRLF}
	var last []wheel.Row // what pex writes after the files it made itself
	for _, old := range c.record.Rows {
		switch {
		case old.Path == path.Join(c.info, "RECORD"):
			r.Rows = append(r.Rows, wheel.Row{Path: old.Path, Size: -1})
		case c.own(old.Path):
		case strings.HasSuffix(old.Path, "/"):
			r.Rows = append(r.Rows, old)
		default:
			now, ok, err := c.rowNow(old, m)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if strings.HasSuffix(path.Dir(old.Path), ".pex-info") {
				last = append(last, now)
			} else {
				r.Rows = append(r.Rows, now)
			}
		}
	}
	for _, name := range []string{"INSTALLER", "REQUESTED"} {
		r.Rows = append(r.Rows, rowOf(path.Join(c.info, name), content[name]))
	}
	r.Rows = append(r.Rows, last...)
	content["RECORD"] = recordBytes(r)
	for name, text := range content {
		made := tree.NewFile(name, 0o644, text)
		made.Origin = c.name
		m.find(c.infoPath(m.p, name)).leaf.made = &made
	}
	return nil
}

// rowNow is the row of a file as the venv has it; false if it has none of that path.
func (c *chroot) rowNow(old wheel.Row, m *merged) (wheel.Row, bool, error) {
	if _, ok := c.files[old.Path]; !ok {
		return wheel.Row{}, false, nil
	}
	venv, err := c.scheme(old.Path, m.p)
	if err != nil {
		return wheel.Row{}, false, err
	}
	now := wheel.Row{Path: relative("/"+m.p.libs(), "/"+venv), Size: -1}
	n := m.find(venv)
	if n == nil || n.leaf == nil {
		return wheel.Row{}, false, nil
	}
	switch l := n.leaf; {
	case l.from.app && !c.project: // this unit must not change with the code
	case l.made == nil:
		won := l.from.rows[l.at]
		now.Hash, now.Size = won.Hash, won.Size
	case l.made.Kind == tree.File:
		text, err := l.made.Read(scriptLimit)
		if err != nil {
			return wheel.Row{}, false, err
		}
		return rowOf(now.Path, text), true, nil
	}
	return now, true, nil
}
