package warm

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
	"github.com/pexko/pexko/wheel"
)

// shop is an application of one module, with what else is given.
func shop(files ...tree.Entry) App {
	return App{
		Name: "shop", ImportRoots: []string{"src"}, Entry: EntryPoint{Module: "shop"},
		Files: append(tree.Tree{tree.NewFile("src/shop.py", 0o600, []byte("print('shop')\n"))}, files...),
	}
}

// lay makes the tree of an application and wheels, without bytecode.
func (c *chain) lay(app App, wheels []*wheel.Wheel) (*Tree, error) {
	c.t.Helper()
	f, _ := c.pex(pex.AssembleRequest{Code: below(app.Files, "src")}, wheels)
	return Make(c.t.Context(), f, c.variant, app, nil, Options{})
}

func (c *chain) mustLay(app App, wheels []*wheel.Wheel) *Tree {
	c.t.Helper()
	made, err := c.lay(app, wheels)
	check(c.t, err)
	check(c.t, made.all().Validate()) // among other things: no path is in two units
	return made
}

func made(t *testing.T, wheels ...oddWheel) []*wheel.Wheel {
	t.Helper()
	dir := t.TempDir()
	for _, w := range wheels {
		w.write(t, dir)
	}
	return openAll(t, dir)
}

// keys are the keys of all units but the application's, and of that.
func keys(made *Tree) (map[string]string, string) {
	all := map[string]string{}
	for _, u := range made.Units {
		all[u.Kind.String()+" "+u.Name+" "+u.Version] = u.Key
	}
	app := all["app app "]
	delete(all, "app app ")
	return all, app
}

func TestCodeChangesTheApplicationAlone(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	wheels := oddWheels(t)
	before, app := keys(c.mustLay(shop(), wheels))
	again, appAgain := keys(c.mustLay(shop(), wheels))
	if diff := cmp.Diff(before, again); diff != "" || app != appAgain {
		t.Errorf("the same twice: %s", diff)
	}
	other := shop(tree.NewFile("src/more.py", 0o644, []byte("x = 1\n")), tree.NewFile("data.txt", 0o644, []byte("x")))
	other.Files[0] = tree.NewFile("src/shop.py", 0o644, []byte("def run(): print('changed')\n"))
	other.Name, other.Entry = "store", EntryPoint{Module: "shop", Function: "run"}
	slices.Reverse(other.Files)
	after, changed := keys(c.mustLay(other, wheels))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("units of the dependencies changed:\n%s", diff)
	}
	if changed == app {
		t.Error("the application's unit has the same key")
	}
}

func TestAProjectChangesTheApplicationAlone(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	project := func(version, text string) oddWheel {
		return oddWheel{name: "my_shop-" + version, files: map[string]string{
			"my_shop/__init__.py": text,
			"odd/mine.py":         text, // in a package of a dependency
			"my_shop-" + version + ".data/data/share/odd/mine.txt": text,
			"my_shop-" + version + ".dist-info/entry_points.txt":   "[console_scripts]\nserve = my_shop:serve\nodd-both = my_shop:serve\n",
		}}
	}
	lay := func(w oddWheel) *Tree {
		app := App{Name: "shop", Project: "My.Shop", Entry: EntryPoint{Script: "serve"}}
		return c.mustLay(app, append(made(t, w), oddWheels(t)...))
	}
	first := lay(project("1.0", "def serve(): return 1\n"))
	before, app := keys(first)
	after, changed := keys(lay(project("1.1", "def serve(): return 2\nx = 1\n")))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("units of the dependencies changed:\n%s", diff)
	}
	if app == changed {
		t.Error("the application's unit has the same key")
	}
	for _, u := range first.Units {
		for _, e := range u.Tree {
			mine := strings.Contains(e.Path, "my_shop") || strings.Contains(e.Path, "mine") || e.Origin == "my-shop"
			if mine != (u.Kind == Application) && (mine || e.Origin != "") {
				t.Errorf("%s, of %q, is in unit %s", e.Path, e.Origin, u.Name)
			}
		}
	}
}

// find returns an entry of a tree.
func (t *Tree) find(name string) (tree.Entry, bool) {
	for _, e := range t.all() {
		if e.Path == name {
			return e, true
		}
	}
	return tree.Entry{}, false
}

func TestDirectoriesAreLinkedWholeOrMerged(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	app := shop(
		tree.NewFile("src/traits/own.py", 0o644, nil),
		tree.NewFile("src/odd_one/extra.py", 0o644, nil),
		tree.NewFile("src/pkg/sub/mod.py", 0o644, nil),
		tree.NewLink("src/alias.py", "shop.py"),
		tree.NewLink("src/linked", "pkg/sub"),
	)
	f, _ := c.pex(pex.AssembleRequest{}, oddWheels(t))
	all, err := Make(t.Context(), f, c.variant, app, nil, Options{})
	check(t, err)
	check(t, all.all().Validate())
	const site = "pex/venv/lib/python3.11/site-packages/"
	for name, want := range map[string]string{ // the suffix of a link's target; "" is a directory
		site + "odd":                            "",
		site + "odd/one.py":                     "odd_one-1.0-py3-none-any.whl/odd/one.py",
		site + "odd/two.py":                     "odd_two-2.0-py3-none-any.whl/odd/two.py",
		site + "odd/native.py":                  "odd_one-1.0-py3-none-any.whl/.prefix/platlib/odd/native.py",
		site + "odd_plat":                       "odd_one-1.0-py3-none-any.whl/.prefix/platlib/odd_plat",
		site + "odd_two":                        "odd_two-2.0-py3-none-any.whl/odd_two",
		site + "odd_one":                        "",
		site + "odd_one/template":               "odd_one-1.0-py3-none-any.whl/odd_one/template",
		site + "odd_one/deep":                   "", // holds a file that RECORD does not list
		site + "odd_one/deep/er":                "odd_one-1.0-py3-none-any.whl/odd_one/deep/er",
		site + "odd_one/extra.py":               "../../../../../../app/src/odd_one/extra.py",
		site + "odd_pure.py":                    "odd_two-2.0-py3-none-any.whl/.prefix/purelib/odd_pure.py",
		site + "odd_one-1.0.dist-info":          "",
		site + "odd_one-1.0.dist-info/licenses": "odd_one-1.0-py3-none-any.whl/odd_one-1.0.dist-info/licenses",
		site + "odd_one-1.0.dist-info/METADATA": "odd_one-1.0-py3-none-any.whl/odd_one-1.0.dist-info/METADATA",
		site + "pkg":                            "../../../../../app/src/pkg",
		site + "shop.py":                        "../../../../../app/src/shop.py",
		site + "alias.py":                       "../../../../../app/src/alias.py",
		site + "linked":                         "../../../../../app/src/linked",
		"pex/venv/share":                        "",
		"pex/venv/share/one-alone":              ".prefix/data/share/one-alone",
		"pex/venv/share/odd/one":                "",
		"pex/venv/lib/odd.pc":                   ".prefix/data/lib64/odd.pc",
		"pex/venv/lib64":                        "lib",
		"pex/venv/include":                      "", // include/site is pexko's name for pex's, so it is no directory of the wheel
		"pex/venv/bin/sh-tool":                  ".prefix/bin/sh-tool",
		"pex/venv/bin/python3.11":               "/usr/bin/python3",
		"pex/shop.pex/.deps":                    "/.deps",
		"pex/shop.pex/pkg":                      "../../app/src/pkg",
		"pex/run/shop":                          "../venv/entry.py",
	} {
		e, ok := all.find(name)
		if !ok || (e.Kind == tree.Dir) != (want == "") || !strings.HasSuffix(e.Link, want) {
			t.Errorf("%s: %v, %q", name, e.Kind, e.Link)
		}
	}
	for _, e := range all.all() {
		if e.Kind == tree.Symlink && path.IsAbs(e.Link) && e.Path != "pex/venv/bin/python3.11" && e.Link != "/dev/null" {
			t.Errorf("%s is an absolute link to %s", e.Path, e.Link)
		}
	}
	if _, ok := all.find(site + "odd_one/deep/hidden.py"); ok {
		t.Error("what RECORD does not list is shown")
	}
	if e, _ := all.find("home/nonroot"); e.Kind != tree.Dir || e.Mode != 0o775 || e.UID != UserID || e.GID != 0 {
		t.Errorf("home: %+v", e)
	}
	if e, _ := all.find("app/src/shop.py"); e.Mode != 0o644 {
		t.Errorf("mode of a file that was not readable by all: %o", e.Mode)
	}
}

func TestCollisionsAreReported(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	all := c.mustLay(shop(tree.NewFile("src/odd/one.py", 0o644, []byte("mine = 1\n"))), oddWheels(t))
	var got []string
	for _, clash := range all.Collisions {
		got = append(got, strings.TrimPrefix(clash.Path, "/pex/venv/")+": "+clash.Winner+" before "+clash.Loser)
	}
	slices.Sort(got)
	want := []string{
		"bin/odd-both: odd-one before odd-two", "bin/py-tool: odd-one before odd-two",
		"lib/python3.11/site-packages/odd/__init__.py: odd-one before odd-two", "lib/python3.11/site-packages/odd/one.py: the application before odd-one",
		"lib/python3.11/site-packages/tests/__init__.py: odd-one before odd-two", "share/odd/both.txt: odd-one before odd-two",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A pex whose boot() always touches .last-access gets a link to /dev/null there.
func TestLastAccessOfOlderPex(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	f, _ := c.pex(pex.AssembleRequest{}, nil)
	older := *f
	older.Bootstrap = slices.Clone(f.Bootstrap)
	replace(t, &older, "pex/venv/installer.py", "                        set_last_access={set_last_access!r},\n", "")
	for file, want := range map[*pex.File]bool{f: false, &older: true} {
		all, err := Make(t.Context(), file, c.variant, shop(), nil, Options{})
		check(t, err)
		if e, ok := all.find("pex/venv/.last-access"); ok != want || ok && e.Link != "/dev/null" {
			t.Errorf(".last-access: %+v", e)
		}
	}
}

// The base's links are resolved before a path is written, and its own directories stay as they are.
func TestBaseLinksAreResolved(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	f, _ := c.pex(pex.AssembleRequest{}, nil)
	all, err := Make(t.Context(), f, c.variant, shop(), nil, Options{App: "/lib/shop", Home: "/lib/home"})
	check(t, err)
	check(t, all.all().Validate())
	for _, name := range []string{"usr/lib/shop/src/shop.py", "usr/lib/home"} {
		if _, ok := all.find(name); !ok {
			t.Errorf("no %s", name)
		}
	}
	for _, e := range all.all() {
		if strings.HasPrefix(e.Path, "lib/") || e.Path == "lib" || e.Path == "usr/lib" || e.Path == "usr" {
			t.Errorf("%s is a path of the base", e.Path)
		}
	}
	all, err = Make(t.Context(), f, c.variant, shop(), nil, Options{App: "/srv"})
	check(t, err)
	there, _ := c.variant.FS.Stat("srv")
	if e, ok := all.find("srv"); !ok || e.Mode != there.Mode {
		t.Errorf("/srv: %+v, in the base %+v", e, there)
	}
}
