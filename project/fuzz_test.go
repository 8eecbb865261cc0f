package project

import (
	"errors"
	"strings"
	"testing"
)

// FuzzPyproject reads any text as a pyproject.toml. Whatever it is, each error names a place that exists.
func FuzzPyproject(f *testing.F) {
	for _, part := range strings.Split(grouped, "-- pyproject.toml --\n") {
		f.Add(part)
	}
	f.Add("[tool.pexko]\nplatforms = ['linux/amd64']\nexpose = [80]\nenv = {A = '1'}\n[[x]]\ny.z = [{a = 1}, [2]]\n")
	f.Add("[build-system]\nrequires = []\n[project]\nname = 'é'\n\"a\\u0000b\" = {}\n")
	f.Add(strings.Repeat("a.", 1000) + "b = 1\n")
	f.Add("tool.pexko.files = {'a/../..' = ''}\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument("pyproject.toml", []byte(text))
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		m, err := readMetadata(d)
		checkPlaces(t, text, err)
		s, err := resolve(Flags{}, nil, d, "app")
		checkPlaces(t, text, err)
		p := &Project{doc: d, groups: m.groups, OptionalDependencies: m.optional, Settings: s}
		for _, name := range p.Groups() {
			_, err := p.Requirements(nil, []string{name})
			checkPlaces(t, text, err)
		}
	})
}

func checkPlaces(t *testing.T, text string, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			checkPlaces(t, text, e)
		}
		return
	}
	var e *ConfigError
	if err == nil {
		return
	}
	if !errors.As(err, &e) {
		t.Fatalf("%q: %v is no ConfigError", text, err)
	}
	lines := strings.Split(text, "\n")
	if o := e.Origin; o.Row < 1 || o.Row > len(lines) || o.Column < 1 || o.Column > len(lines[o.Row-1])+2 {
		t.Fatalf("%q: %v names no place in it", text, err)
	}
}
