package warm

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/pexko/pexko/image"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/pex"
)

// image puts a tree onto its base, a layer per unit, and gives it to podman.
func (c *chain) image(made *Tree, podman *testenv.Containers) string {
	c.t.Helper()
	parent := func(name string) tree.Entry {
		if e, ok := c.variant.FS.Stat(name); ok {
			return e
		}
		return tree.NewDir(name)
	}
	var layers []*image.Layer
	for _, u := range made.Units {
		l, err := image.WriteLayer(c.t.Context(), c.store, u.Tree, image.LayerOptions{CreatedBy: u.Name, Parent: parent})
		check(c.t, err)
		layers = append(layers, l)
	}
	img, err := image.Assemble(c.variant.Image, layers, image.Config{
		Env: made.Env, Path: made.Path, Entrypoint: made.Entrypoint, User: fmt.Sprint(UserID), WorkingDir: made.AppDir,
	})
	check(c.t, err)
	dir := filepath.Join(c.t.TempDir(), "layout")
	layout, err := ocilayout.Write(dir, empty.Index)
	check(c.t, err)
	check(c.t, layout.AppendImage(img, ocilayout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "1"})))
	return podman.Pull("oci:"+dir+":1", "")
}

// report is what the application in testdata/report.py prints about how it was started.
type report struct {
	Argv       []string          `json:"argv"`
	Path       []string          `json:"path"`
	Main       map[string]string `json:"main"`
	Names      []string          `json:"names"`
	VirtualEnv string            `json:"virtual_env"`
	Pex        []string          `json:"pex"`
	Prefix     string            `json:"prefix"`
	Base       string            `json:"base_prefix"`
	Executable string            `json:"executable"`
	Prog       string            `json:"prog"`
	Spawned    []string          `json:"spawned"`
	User       string            `json:"user"`
	Home       string            `json:"home"`
	Files      []string          `json:"files"`
	Modules    []string          `json:"modules"`
}

func parse(t *testing.T, r testenv.Result) report {
	t.Helper()
	var p report
	if err := json.Unmarshal([]byte(r.Stdout), &p); err != nil || r.Code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	return p
}

// startCase is an entry point, and the command that starts the same in any venv.
type startCase struct {
	name  string
	entry EntryPoint
	argv0 string
	plain []string
}

var startCases = []startCase{
	{"module", EntryPoint{Module: "report"}, "/pex/venv/lib/python3.11/site-packages/report.py", []string{"/pex/venv/bin/python", "-m", "report"}},
	{"package", EntryPoint{Module: "odd_report"}, "/pex/venv/lib/python3.11/site-packages/odd_report/__main__.py", []string{"/pex/venv/bin/python", "-m", "odd_report"}},
	{"function", EntryPoint{Module: "report", Function: "main"}, "/pex/run/shop", []string{"/pex/venv/bin/python", "/app/plain.py"}},
	{"console script", EntryPoint{Script: "odd-report"}, "/pex/venv/bin/odd-report", []string{"/pex/venv/bin/odd-report"}},
	{"script of a wheel", EntryPoint{Script: "report-tool"}, "/pex/venv/bin/report-tool", []string{"/pex/venv/bin/report-tool"}},
}

// reportWheel brings the scripts.
var reportWheel = oddWheel{
	name: "odd_report-1.0",
	files: map[string]string{
		"odd_report/__init__.py":                    "",
		"odd_report/__main__.py":                    "import report\nreport.main()\n",
		"odd_report-1.0.data/scripts/report-tool":   "#!python\nimport report\nif __name__ == '__main__':\n    report.main()\n",
		"odd_report-1.0.data/scripts/sh-report":     "#!/bin/sh\necho sh \"$@\"\n",
		"odd_report-1.0.dist-info/entry_points.txt": "[console_scripts]\nodd-report = report:main\n",
	},
}

// TestStart runs an image for each kind of entry point, as the default user, as root and as a random one, on a read-only
// file system: it starts as in a plain venv, writes nothing and compiles nothing.
func TestStart(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	c := newChain(t, "bookworm", amd64)
	dir := t.TempDir()
	reportWheel.write(t, dir)
	wheels := append(oddWheels(t), openAll(t, dir)...)
	code := tree.Tree{tree.NewFile("src/report.py", 0o644, read(t, "testdata/report.py")), tree.NewFile("plain.py", 0o600, []byte("import sys\nfrom report import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n"))}
	f, _ := c.pex(pex.AssembleRequest{Code: below(code, "src")}, wheels)
	for _, test := range startCases {
		t.Run(test.name, func(t *testing.T) {
			app := App{Name: "shop", Files: code, ImportRoots: []string{"src"}, Entry: test.entry}
			made, err := Make(t.Context(), f, c.variant, app, c.compiler(), Options{})
			check(t, err)
			check(t, made.all().Validate())
			image := c.image(made, podman)
			got, changes := podman.RunDiff(testenv.Container{Image: image, Args: []string{"one", "two words"}, Options: []string{"--tmpfs=/dev/shm"}})
			if len(changes) > 0 {
				t.Errorf("it wrote %v", changes)
			}
			plain := podman.Run(testenv.Container{Image: image, Entrypoint: test.plain, Args: []string{"one", "two words"}, Env: []string{"PYTHONSAFEPATH=1"}})
			test.check(t, parse(t, got), parse(t, plain))
			got = podman.Run(testenv.Container{Image: image, ReadOnly: true, User: "12345:0", Env: []string{"PYTHONVERBOSE=1"}})
			if p := parse(t, got); p.User != User || p.Home != "/home/nonroot" {
				t.Errorf("user %s, home %s", p.User, p.Home)
			}
			for line := range strings.Lines(got.Stderr) {
				if strings.HasPrefix(line, "# code object from") && !strings.Contains(line, ".pyc") {
					t.Errorf("compiled: %s", line)
				}
			}
		})
	}
}

// check compares with the same in a plain venv. -P is what takes the script's own directory off the path there.
func (s startCase) check(t *testing.T, got, plain report) {
	t.Helper()
	if want := []string{s.argv0, "one", "two words"}; !slices.Equal(got.Argv, want) {
		t.Errorf("argv %q, want %q", got.Argv, want)
	}
	if got.VirtualEnv != "/pex/venv" || len(got.Pex) > 0 {
		t.Errorf("VIRTUAL_ENV=%s, %q", got.VirtualEnv, got.Pex)
	}
	if !slices.Contains(got.Files, "odd_one/deep/er/mod.py") || !slices.Contains(got.Files, "../../../bin/odd-one") {
		t.Errorf("importlib.metadata.files: %q", got.Files)
	}
	if len(got.Names) > 0 && len(s.entry.Function+s.entry.Script) > 0 && s.name != "script of a wheel" {
		t.Errorf("the stub left %q in __main__", got.Names)
	}
	for _, m := range got.Modules {
		if !slices.Contains(plain.Modules, m) {
			t.Errorf("%s is imported, and not in a plain venv", m)
		}
	}
	for _, r := range []*report{&got, &plain} {
		r.VirtualEnv, r.Pex, r.Names, r.Modules, r.Executable = "", nil, nil, nil, ""
	}
	if s.name == "function" { // nothing to compare the names with
		plain.Argv[0], plain.Main["__file__"], plain.Prog = got.Argv[0], got.Main["__file__"], "shop"
	}
	if diff := cmp.Diff(plain, got); diff != "" {
		t.Errorf("from a plain venv (-) it differs:\n%s", diff)
	}
}

// TestStartOfOtherKinds starts a script that is no Python, and an image without bytecode.
func TestStartOfOtherKinds(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	c := newChain(t, "bookworm", amd64)
	f, _ := c.pex(pex.AssembleRequest{}, oddWheels(t))
	for _, test := range []struct {
		entry    EntryPoint
		compiler Compiler
		out      string
	}{
		{EntryPoint{Script: "sh-tool"}, c.compiler(), "sh tool a b\n"},
		{EntryPoint{Script: "py-tool"}, nil, "py tool\n"},
		{EntryPoint{Module: "odd_one", Function: "main"}, nil, "odd-one\n"},
	} {
		app := shop()
		app.Entry = test.entry
		made, err := Make(t.Context(), f, c.variant, app, test.compiler, Options{})
		check(t, err)
		got := podman.Run(testenv.Container{Image: c.image(made, podman), ReadOnly: true, Args: []string{"a", "b"}})
		if got.Code != 0 || got.Stdout != test.out {
			t.Errorf("%s: exit code %d\n%s\n%s", test.entry, got.Code, got.Stdout, got.Stderr)
		}
	}
}
