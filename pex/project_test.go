package pex

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
)

// backends are the build systems that projects use, pinned; the wheels of them and what they require.
var backends = map[string]struct {
	requires, backend, extra string
	pins                     []string
	golden                   string // SHA-256 of the wheel of project
}{
	"setuptools": {`"setuptools>=61"`, "setuptools.build_meta", "[tool.setuptools.package-data]\ndemo_pkg = [\"data/*\"]\n", []string{"setuptools==83.0.0"}, "5d11f267d1987100cfcf060751f04759b88356608f3f184bdd3cc285dc03a46e"},
	"hatchling": {`"hatchling"`, "hatchling.build", "", []string{
		"hatchling==1.27.0", "packaging==25.0", "pathspec==0.12.1", "pluggy==1.6.0", "trove-classifiers==2025.9.11.17",
	}, "fa5e5ef441f59588f78efd17679531c42bf66a9cc3c3863e104701794f59b0ac"},
	"flit":   {`"flit_core>=3.2"`, "flit_core.buildapi", "", []string{"flit-core==3.12.0"}, "268934355a2e5f6a229369db4ec1d268f6667f719bb06c7f5ac0b8bc353ca7bf"},
	"uv":     {`"uv_build>=0.8"`, "uv_build", "", []string{"uv-build==0.9.7"}, "458a4218d2a59bebdc4fe49aa368891555e285f3891da27402a89c175096f02f"},
	"poetry": {`"poetry-core>=2"`, "poetry.core.masonry.api", "[tool.poetry]\npackages = [{include = \"demo_pkg\", from = \"src\"}]\n", []string{"poetry-core==2.2.1"}, "3dcd7b202c66f054181e0279965a448960fa8e4856a001246bd7e6f2b3183a3d"},
}

// backendWheels are the wheels of all backends, for PIP_FIND_LINKS.
func backendWheels(t *testing.T) string {
	t.Helper()
	var pins []string
	for _, b := range backends {
		pins = append(pins, b.pins...)
	}
	return testenv.Wheelhouse(t, testenv.Wheels{Python: "3.11", Requirements: pins})
}

// project writes a project for a backend, with package data and an executable, and returns its directory.
func project(t *testing.T, backend string, umask os.FileMode) string {
	t.Helper()
	b := backends[backend]
	dir := filepath.Join(t.TempDir(), "demo")
	for path, text := range map[string]string{
		"pyproject.toml": "[build-system]\nrequires = [" + b.requires + "]\nbuild-backend = \"" + b.backend + "\"\n" +
			"[project]\nname = \"demo-pkg\"\nversion = \"1.2.3\"\ndescription = \"demo\"\nrequires-python = \">=3.10\"\ndependencies = [\"six\"]\n" +
			"[project.scripts]\ndemo = \"demo_pkg:main\"\n" + b.extra,
		"README.md":                "# demo\n",
		"src/demo_pkg/__init__.py": "def main(): print('demo')\n",
		"src/demo_pkg/z.py":        "",
		"src/demo_pkg/data/a.txt":  "ä\n",
		"src/demo_pkg/data/run.sh": "#!/bin/sh\n",
		// What earlier builds, editors and test runs left:
		"build/lib/demo_pkg/removed.py":                   "",
		"src/demo_pkg.egg-info/PKG-INFO":                  "Name: old\n",
		"src/demo_pkg/__pycache__/__init__.cpython-9.pyc": "",
		".venv/pyvenv.cfg":                                "", ".venv/lib/x.py": "", "env/pyvenv.cfg": "", ".tox/x": "",
	} {
		path = filepath.Join(dir, path)
		writeText(t, path, text)
		mode := os.FileMode(0o644)
		if strings.HasSuffix(path, ".sh") {
			mode = 0o755
		}
		if err := os.Chmod(path, mode&^umask); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Each backend makes the wheel that it made under Python 3.11, umask 022 and UTC, when the digests were noted;
// nothing is left in the project. Not parallel: the umask is the process's.
func TestProjectsBuildTheSameEverywhere(t *testing.T) {
	wheels := backendWheels(t)
	for name, b := range backends {
		t.Run(name, func(t *testing.T) {
			tool := provide(t, func(o *Options) {
				from(wheels, "TZ=Asia/Tokyo")(o)
				o.Python = hostPython(t, "3.13")
			})
			defer syscall.Umask(syscall.Umask(0o077))
			dir := project(t, name, 0o077)
			before := all(t, dir)
			w, report, err := tool.BuildProject(t.Context(), ProjectRequest{
				Dir: dir, RequiresPython: ">=3.10", Constraints: b.pins, Targets: []Target{linux("3.13.5", "aarch64"), linux("3.11.2", "x86_64")},
			})
			if err != nil {
				t.Fatal(err)
			}
			if w.SHA256 != b.golden {
				t.Errorf("the wheel is %s, not %s; a change needs its reason and a line in CHANGELOG.md", w.SHA256, b.golden)
			}
			if diff := cmp.Diff(before, all(t, dir)); diff != "" {
				t.Errorf("the project was written to: %s", diff)
			}
			checkNormal(t, w.Path)
			checkContent(t, w.Path)
			if diff := cmp.Diff(slices.Sorted(slices.Values(b.pins)), report.Requires); diff != "" || !report.Pinned || !report.Pure {
				t.Errorf("report %+v: %s", report, diff)
			}
			if w.Metadata.Name != "demo-pkg" || w.Metadata.Version != "1.2.3" || len(w.Console) != 1 {
				t.Errorf("got %+v", w)
			}
		})
	}
}

func checkContent(t *testing.T, path string) {
	t.Helper()
	files := unzip(t, path)
	for _, name := range []string{"demo_pkg/__init__.py", "demo_pkg/z.py", "demo_pkg/data/a.txt", "demo_pkg/data/run.sh"} {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is not in the wheel", name)
		}
	}
	for name := range files {
		if strings.Contains(name, "removed") || strings.Contains(name, "__pycache__") {
			t.Errorf("%s, which an earlier build left, is in the wheel", name)
		}
	}
}

func TestBuildRequirementsThatAreNotPinned(t *testing.T) {
	t.Parallel()
	tool := provide(t, from(backendWheels(t)))
	_, report, err := tool.BuildProject(t.Context(), ProjectRequest{Dir: project(t, "flit", 0)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"flit-core==3.12.0"}, report.Requires); diff != "" || report.Pinned {
		t.Errorf("pinned: %t; %s", report.Pinned, diff)
	}
}

func TestProjectsThatDoNotBuild(t *testing.T) {
	t.Parallel()
	wheels := backendWheels(t)
	tool := provide(t, from(wheels))
	flit := func(change func(dir string)) string {
		dir := project(t, "flit", 0)
		change(dir)
		return dir
	}
	for name, c := range map[string]struct {
		r    ProjectRequest
		want []string
	}{
		"a backend that fails": {ProjectRequest{Dir: flit(func(dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "src")); err != nil {
				t.Fatal(err)
			}
		})}, []string{"demo: building the project's wheel", "No file/folder found for module demo_pkg"}},
		"constraints that nothing meets": {ProjectRequest{Dir: project(t, "flit", 0), Constraints: []string{"flit-core==0.1"}}, []string{"flit-core"}},
		"no such directory":              {ProjectRequest{Dir: "/nowhere"}, []string{"/nowhere"}},
		"a requires-python that is none": {ProjectRequest{Dir: project(t, "flit", 0), RequiresPython: "three"}, []string{"requires-python", "three"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := tool.BuildProject(t.Context(), c.r)
			if err == nil {
				t.Fatal("it was built")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

// The project's requires-python chooses the Python that builds it.
func TestThePythonThatTheProjectWants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, version := range []string{"3.11", "3.12"} {
		if err := os.Symlink(hostPython(t, version), filepath.Join(dir, "python"+version)); err != nil {
			t.Fatal(err)
		}
	}
	tool := provide(t, func(o *Options) {
		from(backendWheels(t), "PATH="+dir+":/usr/bin:/bin", "HOME="+t.TempDir(), "PYENV_ROOT=/nowhere")(o)
		o.Python = "-"
	})
	tool.o.Python = ""
	_, report, err := tool.BuildProject(t.Context(), ProjectRequest{Dir: project(t, "flit", 0), RequiresPython: ">=3.12"})
	if err != nil || report.Python.Minor() != "3.12" {
		t.Errorf("%v, %v", report.Python, err)
	}
	if p, err := tool.Python(t.Context()); err != nil || p.Minor() != "3.11" {
		t.Errorf("the tool's own Python is now %v, %v", p, err)
	}
	_, _, err = tool.BuildProject(t.Context(), ProjectRequest{Dir: project(t, "flit", 0), RequiresPython: ">=3.99"})
	var none *PythonError
	if !errors.As(err, &none) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{">=3.99", "python3.11 is Python 3.11", "python3.12 is Python 3.12"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

// A project with compiled code is built for the host's own platform and Python, and for nothing else.
func TestAProjectWithCompiledCode(t *testing.T) {
	t.Parallel()
	tool := provide(t, from(backendWheels(t)))
	dir := filepath.Join(t.TempDir(), "native")
	writeText(t, filepath.Join(dir, "pyproject.toml"), "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"native\"\nversion = \"1\"\n")
	writeText(t, filepath.Join(dir, "setup.py"), "from setuptools import setup, Extension\nsetup(ext_modules=[Extension('_native', ['c.c'])], py_modules=[])\n")
	writeText(t, filepath.Join(dir, "c.c"), "#include <Python.h>\nstatic struct PyModuleDef m={PyModuleDef_HEAD_INIT,\"_native\",0,-1,0};\nPyMODINIT_FUNC PyInit__native(void){return PyModule_Create(&m);}\n")
	w, report, err := tool.BuildProject(t.Context(), ProjectRequest{Dir: dir, Targets: []Target{linux("3.11.2", "x86_64")}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Pure || w.Name.File != "native-1-cp311-cp311-linux_x86_64.whl" {
		t.Errorf("got %s, %+v", w.Name.File, report)
	}
	for machine, want := range map[string]string{"3.11.2-aarch64": "this machine's platform alone", "3.13.5-x86_64": "with a Python 3.13"} {
		version, machine, _ := strings.Cut(machine, "-")
		target := linux(version, machine)
		err := runsOn(w, report, []Target{linux("3.11.2", "x86_64"), target})
		var foreign *ForeignBuildError
		if !errors.As(err, &foreign) || !strings.Contains(foreign.Hint(), want) || !strings.Contains(err.Error(), target.String()) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// Backends that take the version from the repository find it, although the build is in a copy.
func TestAVersionFromTheRepository(t *testing.T) {
	t.Parallel()
	dir := project(t, "flit", 0)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	writeText(t, filepath.Join(dir, ".gitignore"), "build\n*.egg-info\n__pycache__\n.venv\nenv\n.tox\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "x")
	git("tag", "v7.1")
	copied := t.TempDir()
	if err := workingCopy(t.Context(), dir, copied); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "describe", "--dirty", "--tags")
	cmd.Dir, cmd.Env = copied, append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "v7.1" {
		t.Errorf("in the copy git says %q, %v", out, err)
	}
}

func TestWorkingCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := writeText(t, filepath.Join(dir, "outside.txt"), "")
	source := filepath.Join(dir, "source")
	for _, path := range []string{"a.py", "build/tool.py", "docs/x.egg-info/readme", "sub/.git/config", "node_modules/x.js"} {
		writeText(t, filepath.Join(source, path), "")
	}
	for name, to := range map[string]string{"inside": "a.py", "relative": "../outside.txt", "absolute": outside, "dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(source, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(source, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := workingCopy(t.Context(), source, copied); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range all(t, copied) {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{".", "a.py", "absolute", "build", "build/tool.py", "dangling", "docs", "docs/x.egg-info", "docs/x.egg-info/readme", "inside", "relative", "sub"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"inside": "a.py", "relative": outside, "absolute": outside, "dangling": "nowhere"} {
		if got, err := os.Readlink(filepath.Join(copied, name)); err != nil || got != want {
			t.Errorf("%s is a link to %s, %v", name, got, err)
		}
	}
	info, err := os.Stat(filepath.Join(copied, "a.py"))
	if err != nil || !info.ModTime().Equal(epoch) {
		t.Errorf("%v, %v", info.ModTime(), err)
	}
}
