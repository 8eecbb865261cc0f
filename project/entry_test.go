package project

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const packaged = "-- pyproject.toml --\n[build-system]\nrequires = ['hatchling']\n"

func TestEntry(t *testing.T) {
	scripts := "[project]\nname = 'my-app'\n[project.scripts]\n"
	for _, c := range []struct {
		name, archive string
		flags         Flags
		want          EntryPoint
	}{
		{"flag -e", packaged + scripts + "my-app = 'a:b'\n", Flags{EntryPoint: "x.y:z.w"}, EntryPoint{Module: "x.y", Function: "z.w", Source: "--entry-point"}},
		{"flag -c", packaged + scripts + "my-app = 'a:b'\n", Flags{Script: "gunicorn"}, EntryPoint{Script: "gunicorn", Name: "gunicorn", Source: "--script"}},
		{"file", packaged + scripts + "my-app = 'a:b'\n[tool.pexko]\nscript = 'other'\n", Flags{}, EntryPoint{Script: "other", Name: "other", Source: "pyproject.toml:8:10: tool.pexko.script"}},
		{"only script", packaged + scripts + "serve = 'a:b'\n", Flags{}, EntryPoint{Script: "serve", Name: "serve", Source: "[project.scripts]: the only one"}},
		{"script named as the project", packaged + scripts + "serve = 'a:b'\nmy_app = 'a:c'\n", Flags{}, EntryPoint{Script: "my_app", Name: "my_app", Source: "[project.scripts]: named as the project"}},
		{"script of a project that is no package", "-- pyproject.toml --\n" + scripts + "serve = 'a.b:c'\n", Flags{}, EntryPoint{Module: "a.b", Function: "c", Name: "serve", Source: "[project.scripts]: the only one"}},
		{"gui script by name, no package", "-- pyproject.toml --\n[project]\nname = 'x'\n[project.gui-scripts]\nui = 'a:b'\n", Flags{Script: "ui"}, EntryPoint{Module: "a", Function: "b", Name: "ui", Source: "--script"}},
		{"script of a dependency, no package", "-- requirements.txt --\n", Flags{Script: "gunicorn"}, EntryPoint{Script: "gunicorn", Name: "gunicorn", Source: "--script"}},
		{"scripts, none fits, but a package does", packaged + scripts + "a = 'a:b'\nb = 'a:c'\n-- app/__main__.py --\n", Flags{}, EntryPoint{Module: "app", Source: "__main__.py of the only package"}},
		{"only package", "-- pyproject.toml --\n-- hello/__init__.py --\n-- hello/__main__.py --\n-- tests/__init__.py --\n-- main.py --\n", Flags{}, EntryPoint{Module: "hello", Source: "__main__.py of the only package"}},
		{"only package in src", "-- pyproject.toml --\n-- src/hello/__main__.py --\n-- tests/__init__.py --\n", Flags{}, EntryPoint{Module: "hello", Source: "__main__.py of the only package"}},
		{"only package, of a name that is usually beside", "-- pyproject.toml --\n-- tools/__main__.py --\n", Flags{}, EntryPoint{Module: "tools", Source: "__main__.py of the only package"}},
		{"main.py", "-- requirements.txt --\n-- main.py --\n-- hello/__init__.py --\n", Flags{}, EntryPoint{Module: "main", Source: "main.py"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layOut(t, c.archive)
			p, err := Load(dir, Options{Flags: c.flags})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Entry()
			got.Source = strings.ReplaceAll(got.Source, dir+"/", "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoEntry(t *testing.T) {
	for _, c := range []struct{ name, archive, want string }{
		{"nothing", "-- requirements.txt --\n", "app: no entry point: no [project.scripts] and no package with a __main__.py"},
		{
			"several scripts", packaged + "[project]\nname = 'x'\n[project.scripts]\nb = 'a:b'\na = 'a:a'\n[project.gui-scripts]\nc = 'a:c'\n",
			"x: no entry point: none of 2 [project.scripts] is named as the project; candidates: -c a, -c b, -c c",
		},
		{
			"several packages", "-- pyproject.toml --\n-- a/__main__.py --\n-- b/__init__.py --\n-- manage.py --\n-- setup.py --\n",
			"app: no entry point: there are several packages; candidates: -e a, -e manage",
		},
		{"no __main__", "-- pyproject.toml --\n-- a/__init__.py --\n-- serve.py --\n", "app: no entry point: the package a has no __main__.py; candidates: -e serve"},
		{"__main__ outside a package", "-- pyproject.toml --\n-- __main__.py --\n", "app: no entry point: a __main__.py outside a package has no name to start it by; call it main.py"},
		{"main.py of a package", packaged + "-- main.py --\n", "app: no entry point: no [project.scripts] and no package with a __main__.py; candidates: -e main"},
	} {
		_, err := load(t, c.archive).Entry()
		var entry *EntryError
		if !errors.As(err, &entry) || err.Error() != c.want || entry.Hint() == "" {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestTheHintNamesTheRoots(t *testing.T) {
	for archive, want := range map[string]bool{
		"-- pyproject.toml --\n-- src/app/__init__.py --\n-- main.py --\n": true,
		packaged + "-- src/app/__init__.py --\n":                           false, // roots would have no effect
	} {
		_, err := load(t, archive).Entry()
		var entry *EntryError
		if !errors.As(err, &entry) || strings.Contains(entry.Hint(), "imported from src, set roots in [tool.pexko]") != want {
			t.Errorf("%s: %v", archive, err)
		}
	}
}

func TestEntryAsWritten(t *testing.T) {
	for _, e := range []string{"a.b", "a:b.c"} {
		if got := moduleEntry(e, "").String(); got != e {
			t.Errorf("%s: %s", e, got)
		}
	}
	if got := (EntryPoint{Script: "x"}).String(); got != "x" {
		t.Error(got)
	}
}

func TestImportRoots(t *testing.T) {
	for _, c := range []struct {
		name, archive string
		want          []string
	}{
		{"src", "-- src/app/__init__.py --\n-- tests/__init__.py --\n-- manage.py --\n", []string{"src"}},
		{"src of modules", "-- src/app.py --\n", []string{"src"}},
		{"src of a namespace package", "-- src/ns/app/x.py --\n", []string{"src"}},
		{"src with a package beside", "-- src/app/__init__.py --\n-- lib/__init__.py --\n", []string{"."}},
		{"src that is a package", "-- src/__init__.py --\n-- src/app/__init__.py --\n", []string{"."}},
		{"src of modules beside tools", "-- src/app.py --\n-- setup.py --\n-- conftest.py --\n-- noxfile.py --\n-- test_app.py --\n", []string{"src"}},
		{"src of modules beside a main module", "-- src/helpers.py --\n-- main.py --\n", []string{"."}},
		{"src of directories beside a main module", "-- src/util/helpers.py --\n-- main.py --\n", []string{"."}},
		{"src of a package beside a main module", "-- src/app/__init__.py --\n-- main.py --\n", []string{"src"}},
		{"src of modules beside manage.py", "-- src/settings.py --\n-- manage.py --\n", []string{"."}},
		{"src without Python", "-- src/app.js --\n-- src/web-ui/x.py --\n-- main.py --\n", []string{"."}},
		{"flat", "-- app/__init__.py --\n", []string{"."}},
		{"by setting", "[tool.pexko]\nroots = ['lib', 'src']\n-- lib/a.py --\n-- src/b.py --\n", []string{"lib", "src"}},
		{"src that is left out", "-- .gitignore --\nsrc/\n-- src/app/__init__.py --\n", []string{"."}},
		{"packages have none", "[build-system]\nrequires = []\n-- src/app/__init__.py --\n", nil},
	} {
		if diff := cmp.Diff(c.want, load(t, "-- pyproject.toml --\n"+c.archive).ImportRoots); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
