package warm

import (
	"debug/elf"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
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

// Two wheels whose libraries find each other by $ORIGIN, loaded in a container.
func TestLibrariesFindOtherWheels(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	c := newChain(t, "bookworm", amd64)
	lib := func(soname, runpath string, needed ...string) string {
		return sharedObject{machine: elf.EM_X86_64, soname: soname, runpath: runpath, needed: needed}.bytes(t)
	}
	wheels := made(t,
		oddWheel{name: "vendor_blas-1.0", platform: true, files: map[string]string{"vendor/blas/lib/libblas.so.1": lib("libblas.so.1", "$ORIGIN"), "vendor/blas/include/blas.h": ""}},
		oddWheel{name: "vendor_solve-1.0", platform: true, files: map[string]string{
			"vendor/solve/lib/libsolve.so.1":       lib("libsolve.so.1", "$ORIGIN/../../blas/lib:$ORIGIN", "libblas.so.1", "libhelp.so.1"),
			"vendor/solve/lib/libhelp.so.1":        lib("libhelp.so.1", ""),
			"vendor/solve/include/deep/solve.h":    "",
			"vendor_solve-1.0.data/data/lib/x.txt": "",
		}},
		oddWheel{name: "consumer-1.0", platform: true, files: map[string]string{
			"consumer/__init__.py":     "",
			"consumer/sub/native.so":   lib("native.so", "$ORIGIN/../../vendor/solve/lib", "libsolve.so.1"),
			"consumer/sub/own.so":      lib("own.so", "$ORIGIN/../../consumer.libs", "libown.so"),
			"consumer.libs/libown.so":  lib("libown.so", ""),
			"consumer/data/readme.txt": "",
		}},
		oddWheel{name: "alone-1.0", platform: true, files: map[string]string{
			"alone/native.so":        lib("native.so", "$ORIGIN/../alone.libs:$ORIGIN/../../../../lib64:$ORIGIN/../nowhere", "libalone.so"),
			"alone.libs/libalone.so": lib("libalone.so", ""),
		}},
	)
	all := c.mustLay(shop(), wheels)
	const site = "pex/venv/lib/python3.11/site-packages/"
	for name, dir := range map[string]bool{
		site + "vendor/solve": true, site + "vendor/solve/lib": true, site + "vendor/solve/include": false, site + "vendor/blas": false,
		site + "consumer": true, site + "consumer/sub": true, site + "consumer/data": false, site + "consumer.libs": false,
		site + "alone": false, site + "alone.libs": false,
	} {
		if e, ok := all.find(name); !ok || (e.Kind == tree.Dir) != dir {
			t.Errorf("%s: %v %s", name, e.Kind, e.Link)
		}
	}
	image := c.image(all, podman)
	got := podman.Run(testenv.Container{Image: image, Entrypoint: []string{"python", "-c"}, Args: []string{strings.Join([]string{
		"import ctypes, site", "lib = site.getsitepackages()[0]",
		"for name in ('consumer/sub/native.so', 'consumer/sub/own.so', 'vendor/solve/lib/libsolve.so.1', 'alone/native.so'): ctypes.CDLL(lib + '/' + name); print(name)",
	}, "\n")}})
	if got.Code != 0 || strings.Count(got.Stdout, "\n") != 4 {
		t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stdout, got.Stderr)
	}
}

// A program that looks into another wheel is a copy, since $ORIGIN follows the link to it.
func TestProgramsThatLookElsewhereAreCopies(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	program := sharedObject{machine: elf.EM_X86_64, interp: "/lib64/ld-linux-x86-64.so.2", runpath: "$ORIGIN/../lib"}.bytes(t)
	all := c.mustLay(shop(), made(t,
		oddWheel{name: "tool-1.0", platform: true, files: map[string]string{"tool-1.0.data/scripts/tool": program}},
		oddWheel{name: "toolkit-1.0", platform: true, files: map[string]string{"toolkit-1.0.data/data/lib/libkit.so": sharedObject{}.bytes(t)}},
		oddWheel{name: "whole-1.0", platform: true, files: map[string]string{"whole-1.0.data/data/bin/whole": program, "whole-1.0.data/data/lib/libwhole.so": sharedObject{}.bytes(t)}, modes: nil},
	))
	if e, _ := all.find("pex/venv/bin/tool"); e.Kind != tree.File || e.Mode != 0o755 || e.Size != int64(len(program)) {
		t.Errorf("tool: %+v", e)
	}
}

func TestEntryPointsThatAreNotThere(t *testing.T) {
	t.Parallel()
	c := newChain(t, "bookworm", amd64)
	app := shop(
		tree.NewFile("src/store/__init__.py", 0o644, []byte("def make_app(): pass\n")),
		tree.NewFile("src/store/serve.py", 0o644, []byte("def main(): pass\n")),
		tree.NewFile("src/runs/__main__.py", 0o644, nil), tree.NewFile("src/runs/__init__.py", 0o644, nil),
		tree.NewFile("src/space/deep/mod.py", 0o644, nil), tree.NewFile("src/odd_elsewhere/by_pth.py", 0o644, nil),
	)
	f, _ := c.pex(pex.AssembleRequest{Code: below(app.Files, "src")}, oddWheels(t))
	for _, test := range []struct {
		entry     EntryPoint
		err, hint string // "" is success
	}{
		{EntryPoint{}, "entry point : there is none; an image has to start something", ""},
		{EntryPoint{Module: "shop"}, "", ""},
		{EntryPoint{Module: "store.serve", Function: "main"}, "", ""},
		{EntryPoint{Module: "store", Function: "make_app.run"}, "", ""},
		{EntryPoint{Module: "runs"}, "", ""},
		{EntryPoint{Module: "http.server"}, "", ""},
		{EntryPoint{Module: "odd_one", Function: "main"}, "", ""},
		{EntryPoint{Module: "by_pth", Function: "main"}, "", ""},
		{EntryPoint{Script: "odd-gui"}, "", ""},
		{EntryPoint{Script: "sh-tool"}, "", ""},
		{EntryPoint{Module: "shopp"}, "entry point shopp: no module shopp in the application, its dependencies or the standard library", "did you mean shop?"},
		{EntryPoint{Module: "serve", Function: "main"}, "entry point serve:main: no module serve in the application, its dependencies or the standard library", "did you mean store.serve:main?"},
		{EntryPoint{Module: "store"}, "entry point store: store is a package without __main__.py; python -m cannot run it", "did you mean store.serve?"},
		{EntryPoint{Module: "store.serve", Function: "mian"}, "entry point store.serve:mian: module store.serve (/app/src/store/serve.py) has no mian", "did you mean store.serve:main?"},
		{EntryPoint{Module: "odd_one", Function: "run"}, "entry point odd_one:run: module odd_one (/pex/installed_wheels/3/", "did you mean odd_one:main?"},
		{EntryPoint{Script: "odd-oen"}, "entry point odd-oen: no distribution in the image has a script of that name", "did you mean odd-one?"},
		{EntryPoint{Script: "../python"}, "entry point ../python: no distribution in the image has a script of that name", ""},
		{EntryPoint{Module: "../shop"}, "entry point ../shop: no module ../shop in", ""},
	} {
		app.Entry = test.entry
		_, err := Make(t.Context(), f, c.variant, app, nil, Options{})
		var wrong *EntryError
		switch {
		case test.err == "":
			if err != nil {
				t.Errorf("%s: %v", test.entry, err)
			}
		case !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), test.err):
			t.Errorf("%s: %v", test.entry, err)
		case wrong.Hint() != test.hint:
			t.Errorf("%s: hint %q, want %q", test.entry, wrong.Hint(), test.hint)
		}
	}
}

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
