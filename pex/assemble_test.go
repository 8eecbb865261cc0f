package pex

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/wheel"
)

// all describes a directory: each path with its mode and digest.
func all(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		found[name] = info.Mode().String()
		if d.Type().IsRegular() {
			found[name] += " " + digest(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// colliding wheels provide the same files: a module, a file of data, a script.
func colliding(names ...string) []distribution {
	var wheels []distribution
	for i, name := range names {
		d := distribution{name: name, version: "1.0", files: map[string]string{
			"shared.py": fmt.Sprintf("owner = %q\n", name),
			strings.ReplaceAll(name, "-", "_") + "-1.0.data/data/share/owner.txt": name,
			"only_" + strings.ReplaceAll(name, "-", "_") + ".py":                  "",
		}, entryPoints: fmt.Sprintf("[console_scripts]\nshared = %s:main\n", strings.ReplaceAll(name, "-", "_"))}
		if i > 0 {
			d.requires = []string{names[i-1]}
		}
		wheels = append(wheels, d)
	}
	return wheels
}

// Which distribution wins a path is decided by the order of File.Distributions: pex's own installer, run on the
// same PEX, lets the same one win.
func TestTheOrderDecidesCollisionsAsInPex(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"zeta", "mid-dle", "alpha"}, {"mid-dle", "alpha", "zeta"}} {
		r := AssembleRequest{Sets: []Set{{linux(p.Version, "x86_64"), writeAll(t, colliding(names...)...)}}}
		dir := filepath.Join(t.TempDir(), "app")
		f, err := tool.assemble(t.Context(), r, dir)
		if err != nil {
			t.Fatal(err)
		}
		first := f.Distributions[0].Name
		venv := filepath.Join(t.TempDir(), "venv")
		const install = "import sys; from pex.tools.main import main; sys.argv[:] = ['pex-tools'] + sys.argv[1:]; sys.exit(main())"
		root, err := tool.root(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tool.runPex(t.Context(), p, command{what: "pex-tools", argv: []string{p.Path, "-c", install, dir, "venv", "--collisions-ok", venv}}, root); err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]string{
			"lib/python" + p.Minor() + "/site-packages/shared.py": fmt.Sprintf("owner = %q\n", first), "share/owner.txt": first,
		} {
			got, err := os.ReadFile(filepath.Join(venv, file))
			if err != nil || string(got) != want {
				t.Errorf("%v: %s is %q, %v; the first of %v is %s", names, file, got, err, names, first)
			}
		}
		script, err := os.ReadFile(filepath.Join(venv, "bin", "shared"))
		if err != nil || !strings.Contains(string(script), strings.ReplaceAll(first, "-", "_")) {
			t.Errorf("%v: bin/shared is not that of %s: %v\n%s", names, first, err, script)
		}
	}
}

// golden is pex_hash of the PEX of the test below: it covers all distributions, options and code.
const golden = "bb2fc7a6d9b90ed30d5428fb4d9473b9b22fae04"

// The same PEX, byte for byte, from every host Python, HOME, umask and working directory; and the one that pex
// makes when it is run by hand. Not parallel: the umask is the process's.
func TestThePEXDoesNotDependOnTheHost(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	markupsafe := testenv.Wheelhouse(t, testenv.Wheels{Python: "3.13", Platform: "linux/arm64", Requirements: []string{"MarkupSafe==3.0.2"}})
	starter := distribution{name: "starter", version: "1.0", entryPoints: "[console_scripts]\nstart = starter:main\n"}
	wheels := append(writeAll(t, append(colliding("one", "two"), starter)...), open(t, filepath.Join(markupsafe, arm64Wheel)))
	target := linux("3.13.5", "aarch64")
	r := AssembleRequest{
		Sets: []Set{{target, wheels}}, Script: "start", InjectPythonArgs: []string{"-u", "-W", "a b"}, InjectArgs: []string{"it's"},
		InjectEnv: map[string]string{"B": "2", "A": "1"}, InterpreterConstraints: []string{"==3.13.*"},
		Code: tree.Tree{tree.NewFile("app/__init__.py", 0o600, []byte("x = 1\n")), tree.NewFile("app/run", 0o700, []byte("#!/bin/sh\n"))},
	}
	var first, loose map[string]string
	var zip string
	var goldenInfo []byte
	for i, version := range []string{"3.10", "3.11", "3.12", "3.13"} {
		home := t.TempDir()
		tool := provide(t, func(o *Options) {
			from(home, "HOME="+home, "XDG_CACHE_HOME="+filepath.Join(home, version), "TZ=Asia/Tokyo", "LANG=de_DE.UTF-8")(o)
			o.Store = seeded(t)
			o.Python = hostPython(t, version)
		})
		out := t.TempDir()
		if err := tool.Write(t.Context(), r, Loose, filepath.Join(out, "loose")); err != nil {
			t.Fatal(err)
		}
		loose = all(t, filepath.Join(out, "loose"))
		if i == 0 {
			first = loose
			goldenInfo, _ = os.ReadFile(filepath.Join(out, "loose", "PEX-INFO"))
			byHand(t, tool, r, filepath.Join(out, "loose"))
		}
		if diff := cmp.Diff(first, loose); diff != "" {
			t.Errorf("Python %s makes another PEX:\n%s", version, diff)
		}
		if version != "3.10" && version != "3.13" {
			continue
		}
		if err := tool.Write(t.Context(), r, Zipapp, filepath.Join(out, "app.pex")); err != nil {
			t.Fatal(err)
		}
		if sum := digest(t, filepath.Join(out, "app.pex")); zip != "" && sum != zip {
			t.Errorf("Python %s makes another zipapp", version)
		} else {
			zip = sum
		}
	}
	if info, err := ParseInfo(goldenInfo); err != nil || info.PexHash != golden {
		t.Errorf("the PEX is %s, not %s, %v; a change needs its reason and a line in CHANGELOG.md", info.PexHash, golden, err)
	}
	if mode := first["app/run"]; !strings.HasPrefix(mode, "-rwxr-xr-x ") {
		t.Errorf("app/run is %s", mode)
	}
	if mode := first["."]; mode != "drwxr-xr-x" {
		t.Errorf("the directory is %s", mode)
	}
}

// byHand runs python -m pex as its manual says and compares.
func byHand(t *testing.T, tool *Tool, r AssembleRequest, want string) {
	t.Helper()
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home, err := tool.home(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{
		"-m", "pex", "--layout", "loose", "-o", "app", "-D", "code", "-c", "start", "--complete-platform", "platform.json",
		"--inject-python-args=-u -W 'a b'", "--inject-args", `it\'s`, "--inject-env", "A=1", "--inject-env", "B=2",
	}
	var requirements []string
	for _, w := range r.Sets[0].Wheels {
		args = append(args, "--pre-resolved-dist", w.Path)
		requirements = append(requirements, w.Metadata.Name+"=="+w.Metadata.Version)
	}
	args = append(args, requirements...)
	writeText(t, filepath.Join(dir, "platform.json"), string(r.Sets[0].Target.CompletePlatform))
	writeText(t, filepath.Join(dir, "code/app/__init__.py"), "x = 1\n")
	writeText(t, filepath.Join(dir, "code/app/run"), "#!/bin/sh\n")
	cmd := exec.CommandContext(t.Context(), p.Path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(home, "pex"), "PEX_ROOT="+filepath.Join(dir, "root"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hand, err := Read(filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Read(want)
	if err != nil {
		t.Fatal(err)
	}
	// Two keys differ on purpose: constraints, with which pex would want a local Python, and the names of the roots.
	hand.Info.InterpreterConstraints, hand.Info.Requirements = ours.Info.InterpreterConstraints, ours.Info.Requirements
	hand.Info.PexHash, hand.Info.Raw = ours.Info.PexHash, ours.Info.Raw
	if diff := cmp.Diff(ours.Info, hand.Info); diff != "" {
		t.Error(diff)
	}
	for i := range hand.Distributions {
		if a, b := contents(t, ours.Distributions[i].Chroot), contents(t, hand.Distributions[i].Chroot); a != b {
			t.Errorf("%s differs", hand.Distributions[i].Wheel)
		}
	}
	if contents(t, ours.Bootstrap) != contents(t, hand.Bootstrap) {
		t.Error(".bootstrap differs")
	}
}

// contents digests the paths and files of a tree.
func contents(t *testing.T, tr tree.Tree) string {
	t.Helper()
	sum, err := dirHash(sha256.New(), tr)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// One PEX of several platforms, a distribution that only one of them needs and one that differs between them:
// it starts here, and pex picks what belongs here.
func TestAPEXOfSeveralPlatforms(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	arm := writeAll(t, distribution{name: "both", version: "1.0"}, distribution{name: "differs", version: "1.0"})
	amd := writeAll(t, distribution{name: "both", version: "1.0"}, distribution{name: "differs", version: "2.0"}, distribution{name: "here", version: "1.0", tag: "cp311-cp311-linux_x86_64"})
	out := filepath.Join(t.TempDir(), "app.pex")
	r := AssembleRequest{
		Sets:       []Set{{linux("3.13.5", "aarch64"), arm}, {linux("3.11.2", "x86_64"), amd}},
		Code:       tree.Tree{tree.NewFile("app.py", 0o644, []byte("import both, differs, here, sys\nprint(both.version, differs.version, sys.argv[1:])\n"))},
		EntryPoint: "app", InjectArgs: []string{"a b"},
	}
	if err := tool.Write(t.Context(), r, Zipapp, out); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.Executable, out, "c")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PEX_ROOT=" + t.TempDir(), "HOME=" + t.TempDir()}
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != "1.0 2.0 ['a b', 'c']\n" {
		t.Errorf("%v: %s", err, said)
	}
	info, err := ParseInfo([]byte(unzip(t, out)[infoName]))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"both==1.0",
		`differs==1.0; platform_machine == "aarch64" and python_version == "3.13" and sys_platform == "linux"`,
		`differs==2.0; platform_machine == "x86_64" and python_version == "3.11" and sys_platform == "linux"`,
		`here==1.0; platform_machine == "x86_64" and python_version == "3.11" and sys_platform == "linux"`,
	}
	if diff := cmp.Diff(want, info.Requirements); diff != "" {
		t.Error(diff)
	}
}

func TestAPEXWithoutDistributions(t *testing.T) {
	t.Parallel()
	tool := provide(t, from("http://127.0.0.1:9/simple/")) // no index is asked
	f, err := tool.Assemble(t.Context(), AssembleRequest{
		Sets: []Set{{Target: linux("3.13.5", "x86_64")}}, EntryPoint: "hello",
		Code: tree.Tree{tree.NewFile("hello.py", 0o644, []byte("print('hello')\n"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Distributions) != 0 || f.Info.EntryPoint != "hello" || len(f.Code) != 1 {
		t.Errorf("got %+v", f)
	}
	if _, err := f.Code[0].Read(100); err != nil {
		t.Error(err)
	}
	f.Close()
	if _, err := f.Code[0].Read(100); err == nil {
		t.Error("Close left the files")
	}
}

// What the base provides needs no wheel; without --exclude its lack is an error that names it.
func TestExcludedDistributions(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	r := AssembleRequest{Sets: []Set{{linux("3.13.5", "x86_64"), writeAll(t, distribution{name: "needs", version: "1.0", requires: []string{"Provided>=1"}})}}}
	if _, err := tool.Assemble(t.Context(), r); err == nil || !strings.Contains(err.Error(), "Provided>=1") {
		t.Errorf("without --exclude: %v", err)
	}
	r.Exclude = []string{"provided"}
	f, err := tool.Assemble(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff([]string{"provided"}, f.Info.Excluded); diff != "" || len(f.Distributions) != 1 {
		t.Error(diff)
	}
}

func TestRequestsThatMakeNoPEX(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	target := linux("3.13.5", "aarch64")
	one := writeAll(t, distribution{name: "one", version: "1.0"})
	other := writeAll(t, distribution{name: "one", version: "1.0", files: map[string]string{"x.py": ""}})
	second := writeAll(t, distribution{name: "One", version: "2.0"})
	foreign := writeAll(t, distribution{name: "one", version: "1.0", tag: "cp311-cp311-linux_x86_64"})
	code := func(entries ...tree.Entry) AssembleRequest {
		return AssembleRequest{Sets: []Set{{target, one}}, Code: entries}
	}
	for name, c := range map[string]struct {
		r    AssembleRequest
		want string
	}{
		"no target":                   {AssembleRequest{}, "without a target"},
		"two entry points":            {AssembleRequest{Sets: []Set{{target, one}}, EntryPoint: "a", Script: "b"}, "both an entry point"},
		"two wheels of a name":        {AssembleRequest{Sets: []Set{{target, slices.Concat(one, second)}}}, "two wheels of one distribution"},
		"two files of a name":         {AssembleRequest{Sets: []Set{{target, one}, {linux("3.13.5", "x86_64"), other}}}, "different content"},
		"a wheel for another target":  {AssembleRequest{Sets: []Set{{target, foreign}}}, "one 1.0 has no wheel for linux/arm64"},
		"a target without tags":       {AssembleRequest{Sets: []Set{{Target{CompletePlatform: []byte(`{}`)}, one}}}, "no tags"},
		"a target that is no JSON":    {AssembleRequest{Sets: []Set{{Target{CompletePlatform: []byte(`{`)}, one}}}, "complete platform"},
		"a script that no wheel has":  {AssembleRequest{Sets: []Set{{target, one}}, Script: "nowhere"}, "nowhere"},
		"__main__.py at the top":      {code(tree.NewFile("__main__.py", 0o644, nil)), "__main__.py: a PEX has a file of its own"},
		"a package pex":               {code(tree.NewFile("pex/__init__.py", 0o644, nil)), "pex: a PEX has"},
		"a link to nowhere":           {code(tree.NewLink("a.py", "../b.py")), "a link to ../b.py"},
		"links in a circle":           {code(tree.NewLink("a", "b"), tree.NewLink("b", "a")), "links to follow"},
		"a path that leaves the tree": {code(tree.NewFile("../x.py", 0o644, nil)), "not a clean relative path"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := tool.Assemble(t.Context(), c.r)
			if err == nil {
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLinksInTheCodeBecomeFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := writeCode(dir, tree.Tree{
		tree.NewFile("shared/config.py", 0o644, []byte("x = 1\n")), tree.NewLink("app/config.py", "../shared/link.py"), tree.NewLink("shared/link.py", "config.py"),
		tree.NewFile("app/__pycache__/config.pyc", 0o644, nil), tree.NewDir("empty"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{".": "drwxr-xr-x", "app": "drwxr-xr-x", "shared": "drwxr-xr-x"}
	sum := sha256.Sum256([]byte("x = 1\n"))
	for _, name := range []string{"app/config.py", "shared/config.py", "shared/link.py"} {
		want[name] = "-rw-r--r-- " + hex.EncodeToString(sum[:])
	}
	if diff := cmp.Diff(want, all(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// A PEX appears at once or not at all, and does not replace what is no PEX.
func TestOutputIsAllOrNothing(t *testing.T) {
	t.Parallel()
	tool := provide(t, nil)
	r := AssembleRequest{Sets: []Set{{linux("3.13.5", "x86_64"), []*wheel.Wheel{}}}}
	dir := t.TempDir()
	write := func(ctx context.Context, layout Layout, name string) error {
		return tool.Write(ctx, r, layout, filepath.Join(dir, name))
	}
	for range 2 { // made, then replaced
		if err := write(t.Context(), Zipapp, "zipapp"); err != nil {
			t.Fatal(err)
		}
	}
	writeText(t, filepath.Join(dir, "documents", "letter.txt"), "dear")
	writeText(t, filepath.Join(dir, "loose", "PEX-INFO"), "{}")
	for name, layout := range map[string]Layout{"documents": Loose, "loose": Zipapp, "zipapp": Packed, "nowhere/app.pex": Zipapp} {
		if err := write(t.Context(), layout, name); err == nil {
			t.Errorf("%s was replaced or made", name)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := write(cancelled, Zipapp, "cancelled"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	writeText(t, filepath.Join(fresh, "new", "file"), "")
	if err := publish(fresh, filepath.Join(dir, "loose")); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range all(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{".", "documents", "documents/letter.txt", "loose", "loose/new", "loose/new/file", "zipapp"}, names); diff != "" {
		t.Error(diff)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "zipapp")); err != nil || !bytes.HasPrefix(content, []byte("#!/usr/bin/env python3.13\n")) {
		t.Errorf("the zipapp begins with %.40q, %v", content, err)
	}
}
