package project

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layOut writes files into a new directory named app. Each follows a line "-- NAME --", as in a txtar archive.
func layOut(t testing.TB, archive string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name, text := "", ""
	for line := range strings.Lines(archive + "-- --\n") {
		if next, ok := strings.CutPrefix(line, "-- "); ok {
			if name != "" {
				put(t, dir, name, text)
			}
			name, text = strings.TrimSuffix(next, " --\n"), ""
			continue
		}
		text += line
	}
	return dir
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	full := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, archive string) *Project {
	t.Helper()
	p, err := Load(layOut(t, archive), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// loadError is the error of a project that cannot be loaded, without the temporary directory's name.
func loadError(t testing.TB, archive string, o Options) error {
	t.Helper()
	dir := layOut(t, archive)
	_, err := Load(dir, o)
	if err == nil {
		t.Fatalf("accepted:\n%s", archive)
	}
	return trimmed{err, strings.NewReplacer(dir+"/", "", dir, "app")}
}

type trimmed struct {
	error
	names *strings.Replacer
}

func (e trimmed) Error() string { return e.names.Replace(e.error.Error()) }
func (e trimmed) Unwrap() error { return e.error }

func paths(p *Project) []string {
	var all []string
	for _, e := range p.Files {
		all = append(all, e.Path)
	}
	return all
}

func TestLoadReadsTheProject(t *testing.T) {
	p := load(t, `
-- pyproject.toml --
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
backend-path = ["_build"]

[project]
name = "My.App"
version = "1.2"
requires-python = ">=3.10"
dependencies = ["flask>=3 ; python_version < '4'"]
dynamic = ["description"]

[project.optional-dependencies]
Web_UI = ["jinja2"]

[project.scripts]
my-app = "my_app.cli : main [x]"

[project.gui-scripts]
my-app-ui = "my_app.ui:App.run"

[project.entry-points."plugins"]
a = "b:c"

[dependency-groups]
prod = ["gunicorn"]
-- src/my_app/__init__.py --
`)
	type facts struct {
		Name, Version, RequiresPython string
		Build                         BuildSystem
		Dependencies                  []string
		Optional                      map[string][]string
		Scripts, GUI                  map[string]string
		Dynamic, Groups, Roots, Files []string
		Image                         string
	}
	got := facts{
		p.Name, p.Version, p.RequiresPython, *p.BuildSystem, p.Dependencies, p.OptionalDependencies, p.Scripts, p.GUIScripts,
		p.Dynamic, p.Groups(), p.ImportRoots, paths(p), p.Settings.Name.Value,
	}
	want := facts{
		Name: "My.App", Version: "1.2", RequiresPython: ">=3.10", Image: "my-app",
		Build:        BuildSystem{[]string{"hatchling>=1.27"}, "hatchling.build", []string{"_build"}},
		Dependencies: []string{"flask>=3 ; python_version < '4'"}, Optional: map[string][]string{"web-ui": {"jinja2"}},
		Scripts: map[string]string{"my-app": "my_app.cli:main"}, GUI: map[string]string{"my-app-ui": "my_app.ui:App.run"},
		Dynamic: []string{"description"}, Groups: []string{"prod"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLegacyBackendIsSetuptools(t *testing.T) {
	p := load(t, "-- pyproject.toml --\n[build-system]\nrequires = ['setuptools']\n")
	if p.BuildSystem.Backend != "setuptools.build_meta:__legacy__" {
		t.Error(p.BuildSystem.Backend)
	}
}

func TestWhatMakesAProject(t *testing.T) {
	for name, archive := range map[string]string{
		"empty pyproject":   "-- pyproject.toml --\n",
		"only tool table":   "-- pyproject.toml --\n[tool.ruff]\nline-length = 100\n",
		"requirements":      "-- requirements.txt --\n-- main.py --\n",
		"pylock":            "-- pylock.toml --\n-- main.py --\n",
		"build system only": "-- pyproject.toml --\n[build-system]\nrequires = []\n",
	} {
		t.Run(name, func(t *testing.T) {
			if p := load(t, archive); p.Name != "app" || p.Settings.Name.Value != "app" {
				t.Errorf("named %q, image %q", p.Name, p.Settings.Name.Value)
			}
		})
	}
	dir := layOut(t, "-- main.py --\n-- locks/prod.txt --\n")
	if _, err := Load(dir, Options{Flags: Flags{Lock: filepath.Join(dir, "locks/prod.txt")}}); err != nil {
		t.Errorf("a lock by flag: %v", err)
	}
}

func TestNoProject(t *testing.T) {
	var none *NoProjectError
	err := loadError(t, "-- main.py --\n", Options{})
	if want := "app: no project: neither pyproject.toml nor a lock (requirements.txt, pylock.toml) is there"; err.Error() != want || !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
	err = loadError(t, "-- setup.py --\n-- uv.lock --\n", Options{})
	if !strings.Contains(err.Error(), "found only setup.py, uv.lock") || !errors.As(err, &none) || !strings.Contains(none.Hint(), "setuptools.build_meta") {
		t.Errorf("got %v, hint %q", err, none.Hint())
	}
	_, err = Load(filepath.Join(t.TempDir(), "nowhere"), Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "nowhere: no such directory") {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(layOut(t, "-- f --\n"), "f")
	if _, err = Load(file, Options{}); err == nil || !strings.HasSuffix(err.Error(), "f: not a directory") {
		t.Errorf("got %v", err)
	}
}

func TestHugePyprojectIsRefused(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n")
	if err := os.Truncate(filepath.Join(dir, "pyproject.toml"), maxPyproject+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, Options{}); err == nil || !strings.Contains(err.Error(), "more than 4194304 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestImageNameOfTheDirectory(t *testing.T) {
	for dir, want := range map[string]string{"My App": "my-app", "api_v2": "api-v2", "..x..": "x", "日本": ""} {
		full := filepath.Join(t.TempDir(), dir)
		put(t, full, "requirements.txt", "")
		p, err := Load(full, Options{})
		var config *ConfigError
		switch {
		case want == "" && (!errors.As(err, &config) || !strings.Contains(config.Hint(), "--name")):
			t.Errorf("%q: %v", dir, err)
		case want != "" && (err != nil || p.Settings.Name.Value != want):
			t.Errorf("%q: %v, want %q", dir, err, want)
		}
	}
}

// The command line passes paths as the user wrote them; messages carry them like that.
func TestErrorsNameTheFileAsGiven(t *testing.T) {
	dir := layOut(t, "-- pyproject.toml --\n[project]\n")
	t.Chdir(filepath.Dir(dir))
	_, err := Load("./app/", Options{})
	if err == nil || err.Error() != "app/pyproject.toml:1:2: project: has no name; PEP 621 demands one" {
		t.Errorf("got %v", err)
	}
}

func TestBrokenFiles(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a = \n", "pyproject.toml:1:5: "},
		{"[project]\nname = \"x\"\nname = \"y\"\n", "pyproject.toml:3:1: "},
		{"# é\nä = 1\n", "pyproject.toml:2:1: "},
		{"x = 'é' y\n", "pyproject.toml:1:9: "},
		{"[project]\nname = 'a b'\n", `pyproject.toml:2:8: project.name: "a b" is not a valid name`},
		{"[project]\nname = 3\n", "pyproject.toml:2:8: project.name: must be a string, not a whole number"},
		{"project = 3\n", "pyproject.toml:1:11: project: must be a table, not a whole number"},
		{"[project]\nname = 'x'\nversion = '1..2'\n", "pyproject.toml:3:11: project.version: "},
		{"[project]\nname = 'x'\nrequires-python = '3.10'\n", "pyproject.toml:3:19: project.requires-python: "},
		{"[project]\nname = 'x'\ndependencies = [\n  'a',\n  'b >',\n]\n", "pyproject.toml:5:3: project.dependencies[1]: "},
		{"[project]\nname = 'x'\ndependencies = 'a'\n", "pyproject.toml:3:16: project.dependencies: must be a list of strings, not a string"},
		{"[project]\nname = 'x'\ndependencies = [1]\n", "pyproject.toml:3:17: project.dependencies[0]: must be a string, not a whole number"},
		{"[project]\nname = 'x'\ndynamic = ['version']\nversion = '1'\n", `pyproject.toml:3:12: project.dynamic[0]: "version" cannot be dynamic`},
		{"[project]\ndynamic = ['name']\n", `"name" cannot be dynamic`},
		{"[project]\nname = 'x'\n[project.optional-dependencies]\na_b = []\nA-B = []\n", `the extra "a-b" is there twice`},
		{"[project]\nname = 'x'\n[project.scripts]\nx = 'a b:c'\n", `pyproject.toml:4:5: project.scripts.x: "a b:c" is not an entry point`},
		{"[build-system]\n", "pyproject.toml:1:2: build-system: has no requires; PEP 518 demands it"},
		{"[dependency-groups]\na-b = []\nA_B = []\n", `the group is there already, as "A_B"`},
		{"dependency-groups = 1\n", "dependency-groups: must be a table"},
	} {
		err := loadError(t, "-- pyproject.toml --\n"+c.text, Options{})
		var config *ConfigError
		if !strings.Contains(err.Error(), c.want) || !errors.As(err, &config) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	err := loadError(t, "-- pyproject.toml --\n[tool.pexko]\nplatforms = ['windows/amd64']\nuser = 'a b'\nfoo = 1\n", Options{})
	if n := strings.Count(err.Error(), "\n"); n != 2 {
		t.Errorf("%d lines:\n%v", n+1, err)
	}
}

func TestUnreadableDirectoryIsNamed(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root reads everything; the error path is that of reading a directory that is a file")
	}
	_, err := regularFile(filepath.Join(layOut(t, "-- f --\n"), "f", ".gitignore"))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
