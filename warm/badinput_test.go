package warm

import (
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	f, _ := c.pex(pex.AssembleRequest{}, oddWheels(t))
	change := func(do func(f *pex.File)) *pex.File {
		other := *f
		other.Distributions = slices.Clone(f.Distributions)
		other.Bootstrap = slices.Clone(f.Bootstrap)
		do(&other)
		return &other
	}
	entry := func(e tree.Entry) func(*pex.File) {
		return func(f *pex.File) {
			d := &f.Distributions[0]
			d.Chroot = append(slices.DeleteFunc(slices.Clone(d.Chroot), func(o tree.Entry) bool { return o.Path == e.Path }), e)
		}
	}
	text := func(name, content string) func(*pex.File) {
		return func(f *pex.File) {
			for i := range f.Bootstrap {
				if f.Bootstrap[i].Path == name {
					f.Bootstrap[i] = tree.NewFile(name, 0o644, []byte(content))
				}
			}
		}
	}
	for want, test := range map[string]struct {
		change func(*pex.File)
		app    func(*App)
	}{
		"evil is a symbolic link":                             {change: entry(tree.NewLink("evil", "/etc/passwd"))},
		`stash_dir "../.." is not a name`:                     {change: entry(tree.NewFile(".layout.json", 0o644, []byte(`{"stash_dir": "../..", "record_relpath": "x/RECORD"}`)))},
		".layout.json: unexpected end":                        {change: entry(tree.NewFile(".layout.json", 0o644, []byte(`{"stash`)))},
		".prefix/other/x belongs to no":                       {change: func(f *pex.File) { entry(tree.NewFile(".prefix/other/x", 0o644, nil))(f); addRow(f, ".prefix/other/x") }},
		"a file for one and a directory for":                  {app: func(a *App) { a.Files = append(a.Files, tree.NewFile("src/odd_one", 0o644, nil)) }},
		`"../up": not a clean relative path`:                  {app: func(a *App) { a.Files = append(a.Files, tree.NewFile("../up", 0o644, nil)) }},
		"the PEX holds no distribution mine":                  {app: func(a *App) { a.Project = "mine" }},
		"it has no name":                                      {app: func(a *App) { a.Name = "" }},
		`"a/b" cannot be the name of a file`:                  {app: func(a *App) { a.Name = "a/b" }},
		"cannot both be its entry point":                      {app: func(a *App) { a.Entry.Script = "x" }},
		"pex/venv/installer.py: does not hold the text after": {change: text("pex/venv/installer.py", "pass\n")},
		"pex/repl/pex_repl.py: does not hold":                 {change: text("pex/repl/pex_repl.py", "\n")},
		"template field {new!r}": {change: func(f *pex.File) {
			replace(t, f, "pex/venv/installer.py", "script={script!r},", "script={script!r}, new={new!r},")
		}},
	} {
		if test.change == nil {
			test.change = func(*pex.File) {}
		}
		app := shop()
		if test.app != nil {
			test.app(&app)
		}
		if _, err := Make(t.Context(), change(test.change), c.variant, app, nil, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if _, err := Make(t.Context(), f, c.variant, shop(), nil, Options{Root: "/lib/pex"}); err != nil {
		t.Errorf("a directory behind a link of the base: %v", err)
	}
	if _, err := Make(t.Context(), f, c.variant, shop(), nil, Options{Root: "/lib"}); err == nil || !strings.Contains(err.Error(), "the base has a link at /lib, to /usr/lib") {
		t.Errorf("a link of the base in place of PEX_ROOT: %v", err)
	}
}

func addRow(f *pex.File, name string) {
	d := &f.Distributions[0]
	for i, e := range d.Chroot {
		if strings.HasSuffix(e.Path, ".dist-info/RECORD") {
			text, _ := e.Read(recordLimit)
			d.Chroot[i] = tree.NewFile(e.Path, 0o644, append(text, name+",,\n"...))
		}
	}
}

func replace(t *testing.T, f *pex.File, name, old, with string) {
	t.Helper()
	for i, e := range f.Bootstrap {
		if e.Path == name {
			text, err := e.Read(textLimit)
			check(t, err)
			if !strings.Contains(string(text), old) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			f.Bootstrap[i] = tree.NewFile(name, 0o644, []byte(strings.ReplaceAll(string(text), old, with)))
		}
	}
}
