package project

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const grouped = `
-- pyproject.toml --
[project]
name = "My-App"
dependencies = ["flask", "click>=8"]

[project.optional-dependencies]
db = ["sqlalchemy"]
Web_UI = ["jinja2", "click>=8"]
all = ["my_app[db,web.ui]", "rich"]
loop = ["my-app[loop]", "tqdm"]

[dependency-groups]
test = ["pytest", {include-group = "Type_Check"}, "coverage"]
type-check = ["mypy"]
Twice = [{include-group = "type-check"}, {include-group = "test"}]
cycle = ["a", {include-group = "back"}]
back = ["b", {include-group = "cycle"}]
future = ["x", {set-phasers-to = "stun"}]
broken = ["x >"]
number = [1]
text = "pytest"
lost = [{include-group = "tset"}]
`

func TestRequirements(t *testing.T) {
	for _, c := range []struct {
		name           string
		extras, groups []string
		want           []string
	}{
		{"alone", nil, nil, []string{"flask", "click>=8"}},
		{"extras", []string{"web-ui", "db"}, nil, []string{"flask", "click>=8", "jinja2", "sqlalchemy"}},
		{"extras of itself", []string{"all"}, nil, []string{"flask", "click>=8", "sqlalchemy", "jinja2", "rich"}},
		{"extras in a circle", []string{"loop"}, nil, []string{"flask", "click>=8", "tqdm"}},
		{"group that includes", nil, []string{"test"}, []string{"flask", "click>=8", "pytest", "mypy", "coverage"}},
		{"included twice", nil, []string{"twice"}, []string{"flask", "click>=8", "mypy", "pytest", "coverage"}},
	} {
		got, err := load(t, grouped).Requirements(c.extras, c.groups)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
	got, err := load(t, grouped+"[build-system]\nrequires = []\n").Requirements([]string{"db"}, []string{"type-check"})
	if diff := cmp.Diff([]string{"mypy"}, got); err != nil || diff != "" {
		t.Errorf("a package brings its own: %v %s", err, diff)
	}
}

// Groups are checked when they are chosen (PEP 735), and only then: the ones that are broken here do no harm.
func TestWrongGroups(t *testing.T) {
	for group, want := range map[string]string{
		"cycle":  "pyproject.toml:15:1: dependency-groups.cycle: includes itself: cycle → back → cycle",
		"future": `pyproject.toml:17:16: dependency-groups.future[1]: must be a requirement or {include-group = "name"}`,
		"broken": "pyproject.toml:18:11: dependency-groups.broken[0]: ",
		"number": `pyproject.toml:19:11: dependency-groups.number[0]: must be a requirement or {include-group = "name"}, not a whole number`,
		"text":   "pyproject.toml:20:8: dependency-groups.text: must be a list, not a string",
		"lost":   `pyproject.toml:21:26: dependency-groups.lost[0].include-group: no dependency group "tset" (did you mean "test"?)`,
		"tests":  `--group: the project has no dependency group "tests" (did you mean "test"?)`,
	} {
		err := loadError(t, strings.TrimPrefix(grouped, "\n"), Options{Flags: Flags{Groups: []string{group}}})
		var config *ConfigError
		if !strings.HasPrefix(err.Error(), want) || !errors.As(err, &config) {
			t.Errorf("%s: %v, want %s", group, err, want)
		}
	}
}

func TestUnknownExtra(t *testing.T) {
	err := loadError(t, grouped+"[tool.pexko]\nextras = ['dbs']\n", Options{})
	var config *ConfigError
	if !strings.Contains(err.Error(), `tool.pexko.extras[0]: the project has no extra "dbs" (did you mean "db"?)`) || !errors.As(err, &config) || config.Hint() != "extras of the project: all, db, loop, web-ui" {
		t.Error(err)
	}
	err = loadError(t, "-- requirements.txt --\n", Options{Flags: Flags{Extras: []string{"db"}}})
	if !errors.As(err, &config) || config.Hint() != "pyproject.toml has no extras" {
		t.Error(err)
	}
	for name, archive := range map[string]string{
		"dynamic":    "-- pyproject.toml --\n[build-system]\nrequires = []\n[project]\nname = 'x'\ndynamic = ['optional-dependencies']\n",
		"setup.py's": "-- pyproject.toml --\n[build-system]\nrequires = []\n",
	} {
		if _, err := Load(layOut(t, archive), Options{Flags: Flags{Extras: []string{"db"}}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
