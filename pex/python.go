package pex

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pexko/pexko/internal/pep"
)

// The minor versions of CPython under which the pinned pip runs (pip/version.py:515), as PEP 440 has it.
const hostVersions = ">=3.10,<3.17"

// Python is an interpreter of this machine that can run pex and pip.
type Python struct {
	Path       string // absolute, as it was found or given
	Executable string // what it calls itself; the same for a pyenv shim and what it stands for
	Version    string // "3.12.1"
	Pip        string // version of its pip

	settings []setting
}

// Minor is "3.12" of "3.12.1".
func (p Python) Minor() string { return minor(p.Version) }

func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// PythonError says that no Python of this machine will do.
type PythonError struct {
	Want  string   // "CPython >=3.10,<3.17 with a working pip"
	Tried []string // one line for each that was found, with what it lacks
	help  string
}

// Error lists what was tried.
func (e *PythonError) Error() string {
	if len(e.Tried) == 0 {
		return "no Python on this machine to run pex with: it takes " + e.Want
	}
	return "no Python on this machine will do: it takes " + e.Want + "; found\n  " + strings.Join(e.Tried, "\n  ")
}

// Hint says what to install.
func (e *PythonError) Hint() string { return e.help }

const installHelp = "install Python 3 with pip (Debian, Ubuntu: apt-get install python3-pip; Fedora: dnf install python3-pip), " +
	"or name one with PEXKO_HOST_PYTHON"

// setting is one line of pip's configuration files.
type setting struct{ Kind, File, Section, Key, Value string }

// answer is what driver/probe.py prints.
type answer struct {
	Executable, Implementation, Version string
	Pip, Problem                        string
	Settings                            []setting
}

// lacks says why the answering Python cannot be the host; "" if it can.
func (a answer) lacks() string {
	admitted, err := pep.ParseSpecifiers(hostVersions)
	switch {
	case err != nil:
		return err.Error()
	case a.Implementation != "cpython":
		return "is " + a.Implementation + " " + a.Version + ", not CPython"
	case !admitted.Contains(a.Version, true):
		return "is Python " + a.Version
	case a.Pip == "" && strings.Contains(a.Problem, "distutils"):
		return "is Python " + a.Version + ", whose pip lacks distutils (Debian: apt-get install python3-distutils)"
	case a.Pip == "":
		return "is Python " + a.Version + " without a working pip (" + a.Problem + ")"
	}
	return ""
}

// pythons finds and asks the interpreters of this machine, each once.
type pythons struct {
	explicit string
	minor    string
	env      environment
	run      *runner
	dir      string // an empty directory to ask in: Python imports from its working directory

	mu    sync.Mutex // held while asking: whoever needs a Python waits for the same answers
	asked map[string]answered
}

type answered struct {
	python Python
	lacks  string
}

// find returns the first that is fit: fit says what a usable Python lacks for the purpose, "" for nothing.
func (s *pythons) find(ctx context.Context, want string, fit func(Python) string) (Python, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := &PythonError{Want: want, help: installHelp}
	tried := map[string]bool{}
	candidates, err := s.candidates()
	if err != nil {
		return Python{}, err
	}
	for _, path := range candidates {
		a, err := s.ask(ctx, path)
		if err != nil {
			return Python{}, err
		}
		lacks := a.lacks
		if lacks == "" {
			lacks = fit(a.python)
		}
		if lacks == "" {
			return a.python, nil
		}
		if line := path + " " + lacks; !tried[line] {
			tried[line] = true
			failed.Tried = append(failed.Tried, line)
		}
	}
	return Python{}, failed
}

// ask runs path once. A program that does not run, or does not answer, is no error but unfit.
func (s *pythons) ask(ctx context.Context, path string) (answered, error) {
	if a, ok := s.asked[path]; ok {
		return a, nil
	}
	out, err := s.run.run(ctx, command{
		what: path, argv: []string{path, "-c", probeProgram}, env: s.env, dir: s.dir, answer: true,
	})
	if ctx.Err() != nil {
		return answered{}, err
	}
	var said answer
	a := answered{lacks: "does not run"}
	if failed, ok := err.(*ProcessError); ok && len(failed.Output) > 0 {
		a.lacks += " (" + failed.Output[0] + ")"
	}
	if err == nil {
		a.lacks = "does not answer as a Python does"
		if json.Unmarshal(out, &said) == nil {
			a.lacks = said.lacks()
			a.python = Python{Path: path, Executable: said.Executable, Version: said.Version, Pip: said.Pip, settings: said.Settings}
		}
	}
	s.asked[path] = a
	return a, nil
}

// candidates lists paths, the likeliest first: the explicit one alone if there is one; else the target's
// minor version, then newer before older, on PATH and among pyenv's. A pure wheel may be built by any; what
// is compiled from an sdist needs the target's minor.
func (s *pythons) candidates() ([]string, error) {
	if s.explicit != "" {
		path, err := s.resolve(s.explicit)
		return []string{path}, err
	}
	names := []string{"python3.13", "python3.12", "python3.11", "python3.10", "python3"}
	if s.minor != "" {
		names = append([]string{"python" + s.minor}, slices.DeleteFunc(names, func(n string) bool { return n == "python"+s.minor })...)
	}
	var paths []string
	for _, name := range names {
		paths = append(paths, s.onPath(name)...)
	}
	return append(paths, s.pyenv()...), nil
}

func (s *pythons) resolve(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return filepath.Abs(name)
	}
	if found := s.onPath(name); len(found) > 0 {
		return found[0], nil
	}
	return "", &PythonError{Want: hostWant, Tried: []string{name + " is not on PATH"}, help: installHelp}
}

const hostWant = "CPython " + hostVersions + " with a working pip"

func (s *pythons) onPath(name string) []string {
	var found []string
	for _, dir := range s.env.path() {
		if path := filepath.Join(dir, name); executable(path) {
			found = append(found, path)
		}
	}
	return found
}

// pyenv lists the interpreters below PYENV_ROOT/versions, those of the wanted minor version first, then the
// newest.
func (s *pythons) pyenv() []string {
	root := s.env.get("PYENV_ROOT")
	if root == "" {
		root = filepath.Join(s.env.home(), ".pyenv")
	}
	found, err := filepath.Glob(filepath.Join(root, "versions", "3.*", "bin", "python"))
	if err != nil {
		return nil
	}
	found = slices.DeleteFunc(found, func(path string) bool { return !executable(path) })
	version := func(path string) string { return filepath.Base(filepath.Dir(filepath.Dir(path))) }
	slices.SortStableFunc(found, func(a, b string) int {
		if wa, wb := minor(version(a)) == s.minor, minor(version(b)) == s.minor; wa != wb {
			return map[bool]int{true: -1, false: 1}[wa]
		}
		return newerFirst(version(a), version(b))
	})
	return found
}

func newerFirst(a, b string) int {
	va, errA := pep.ParseVersion(a)
	vb, errB := pep.ParseVersion(b)
	if errA != nil || errB != nil {
		return strings.Compare(b, a)
	}
	return vb.Compare(va)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// String is how messages name it.
func (p Python) String() string { return fmt.Sprintf("Python %s (%s)", p.Version, p.Path) }
