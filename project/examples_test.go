package project

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExamples reads the examples as `pexko build` does.
func TestExamples(t *testing.T) {
	type facts struct {
		Built                      bool
		Image, Entry, Args, Expose string
		Roots, Files               string
	}
	for name, want := range map[string]facts{
		"hello": {Image: "hello", Entry: "hello", Roots: ".", Files: "README.md hello/__init__.py hello/__main__.py hello/greeting.txt pyproject.toml"},
		"api":   {Built: true, Image: "api", Entry: "api", Expose: "8000/tcp"},
		"data":  {Image: "data", Entry: "main", Roots: ".", Files: "README.md main.py readings.csv requirements.in requirements.txt"},
		"django": {
			Image: "mysite", Entry: "gunicorn", Args: "mysite.wsgi", Expose: "8000/tcp", Roots: ".",
			Files: `README.md gunicorn.conf.py manage.py mysite/__init__.py mysite/settings.py mysite/static/mysite/site.css mysite/templates/mysite/home.html
				mysite/urls.py mysite/views.py mysite/wsgi.py pyproject.toml requirements.in requirements.txt`,
		},
	} {
		p, err := Load(filepath.Join("../examples", name), Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		e, err := p.Entry()
		if err != nil {
			t.Error(err)
		}
		s := p.Settings
		got := facts{
			p.BuildSystem != nil, s.Name.Value, e.String(), strings.Join(s.Args.Value, " "), strings.Join(s.Expose.Value, " "),
			strings.Join(p.ImportRoots, " "), strings.Join(paths(p), " "),
		}
		want.Files = strings.Join(strings.Fields(want.Files), " ")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
