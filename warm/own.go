package warm

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pexko/pexko/bytecode"
	"github.com/pexko/pexko/internal/tree"
)

// addOwn puts the files that make a directory a venv: the interpreter, its configuration, and pex's module that reads
// PEX_EXTRA_SYS_PATH. They come first, so that no wheel's data can take their place.
func (m *merged) addOwn(r runtime, b *batch) error {
	py := m.p.py
	for _, made := range []tree.Entry{
		tree.NewLink("bin/python", "python3"),
		tree.NewLink("bin/python3", "python"+py.minor),
		tree.NewLink("bin/python"+py.minor, py.invoked),
		tree.NewLink("lib64", "lib"),
		tree.NewFile("pyvenv.cfg", 0o644, pyvenv(py)),
	} {
		if err := m.write(made.Path, made, m.own); err != nil {
			return err
		}
	}
	return m.addExtraPath(r, b)
}

// pyvenv is the configuration of the venv (PEP 405). It says nothing but what the image itself determines.
func pyvenv(py python) []byte {
	return fmt.Appendf(nil, "home = %s\ninclude-system-site-packages = false\nversion = %s\nexecutable = %s\n",
		path.Dir(py.invoked), strings.TrimSuffix(py.version, "t"), py.real)
}

func (m *merged) addExtraPath(r runtime, b *batch) error {
	minor, err := minorNumber(m.p.py)
	if err != nil {
		return err
	}
	name := path.Join(m.p.libs(), "PEX_EXTRA_SYS_PATH")
	if minor < 20 { // the versions are those of pex's install_pex_main
		if err := m.addText(name+".pth", r.extraPth+"\n", 0o644, m.own); err != nil {
			return err
		}
	}
	if minor >= 15 {
		if err := m.addText(name+".start", r.extraStart+"\n", 0o644, m.own); err != nil {
			return err
		}
	}
	return m.addModule(name+".py", r.extraPath, 0o644, m.own, b)
}

func minorNumber(py python) (int, error) {
	_, minor, _ := strings.Cut(py.minor, ".")
	n, err := strconv.Atoi(minor)
	if err != nil {
		return 0, fmt.Errorf("python %q: not a version X.Y", py.minor)
	}
	return n, nil
}

// addText writes a file of pexko's own at a path below the venv.
func (m *merged) addText(at, text string, mode fs.FileMode, s *source) error {
	return m.write(at, tree.NewFile(at, mode, []byte(text)), s)
}

// addModule writes a Python file of pexko's own and has it compiled under its own path.
func (m *merged) addModule(at, text string, mode fs.FileMode, s *source, b *batch) error {
	m.compile(at, path.Join(m.p.venv(), at), text, s, b)
	return m.addText(at, text, mode, s)
}

// compile has a text compiled as the module at imported; the pyc is that of a file at a path below the venv.
func (m *merged) compile(at, imported, text string, s *source, b *batch) {
	b.add(imported, bytecode.Unchecked, tree.NewFile(at, 0o644, []byte(text)), func(pyc tree.Entry) error {
		return m.write(bytecode.CacheName(at, m.p.py.tag), pyc, s)
	})
}
