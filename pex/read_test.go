package pex

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/tree"
)

// application is a small loose PEX, made by the real pex, copied into a directory of the test's own.
func application(t *testing.T) string {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.app == "" {
		made.app = filepath.Join(scratch, "app")
		makeApplication(t, made.app)
	}
	dir := filepath.Join(t.TempDir(), "app")
	if err := copyAll(made.app, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

var made struct {
	sync.Mutex
	app string
}

func makeApplication(t *testing.T, dir string) {
	t.Helper()
	tool := provide(t, nil)
	wheels := writeAll(
		t, distribution{name: "first", version: "1.0", requires: []string{"second"}},
		distribution{name: "second", version: "2.0", entryPoints: "[console_scripts]\ntwo = second:main\n"},
	)
	err := tool.Write(t.Context(), AssembleRequest{
		Sets: []Set{{linux("3.11.2", "x86_64"), wheels}}, EntryPoint: "app:main",
		Code: tree.Tree{
			tree.NewFile("app/__init__.py", 0o600, []byte("def main(): print('started')\n")),
			tree.NewFile("app/run.sh", 0o700, []byte("#!/bin/sh\n")),
			tree.NewFile("app/.hidden", 0o644, []byte("counts in no hash\n")),
			tree.NewFile("ünï cöde/é.txt", 0o644, []byte("é\n")),
		},
		InjectEnv: map[string]string{"A": "é=\U0001F40D\"\\\u007f", "B": ""}, PexRoot: "/pex",
	}, Loose, dir)
	if err != nil {
		t.Fatal(err)
	}
}

func paths(tr tree.Tree) []string {
	var all []string
	for _, e := range tr {
		if e.Kind == tree.File {
			all = append(all, e.Path)
		}
	}
	return all
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := application(t)
	// Bytecode comes and goes with whoever ran the PEX.
	writeText(t, filepath.Join(dir, "app", "__pycache__", "__init__.cpython-311.pyc"), "x")
	writeText(t, filepath.Join(dir, ".deps", "first-1.0-py3-none-any.whl", "__pycache__", "first.pyc"), "x")
	f, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"app/.hidden", "app/__init__.py", "app/run.sh", "ünï cöde/é.txt"}, paths(f.Code)); diff != "" {
		t.Errorf("code: %s", diff)
	}
	modes := map[string]os.FileMode{}
	for _, e := range f.Code {
		modes[e.Path] = e.Mode
	}
	if modes["app"] != 0o755 || modes["app/__init__.py"] != 0o644 || modes["app/run.sh"] != 0o755 {
		t.Errorf("modes: %v", modes)
	}
	if got := f.Distributions[1]; got.Name != "second" || got.Version != "2.0" || got.Wheel != "second-2.0-py3-none-any.whl" || got.Chroot[0].Origin != "second" {
		t.Errorf("got %+v", got)
	}
	script := ""
	for _, e := range f.Distributions[1].Chroot {
		if e.Path == ".prefix/bin/two" && e.Mode == 0o755 {
			script = e.Path
		}
	}
	if script == "" {
		t.Errorf("no executable script in %v", paths(f.Distributions[1].Chroot))
	}
	if !bytes.Contains(f.Main, []byte("def boot(")) || len(f.Pex) != 1 || f.Pex[0].Path != "__init__.py" || len(f.Bootstrap) < 100 {
		t.Errorf("%d bytes of main, %d files of bootstrap, %v", len(f.Main), len(f.Bootstrap), paths(f.Pex))
	}
	if f.Info.EntryPoint != "app:main" || f.Info.PexRoot != "/pex" || f.Info.PexVersion != Version || f.Info.InjectEnv["A"] != "é=\U0001F40D\"\\\u007f" {
		t.Errorf("got %+v", f.Info)
	}
	for _, part := range []tree.Tree{f.Code, f.Bootstrap, f.Pex, f.Distributions[0].Chroot} {
		if err := part.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNoPEX(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := writeText(t, filepath.Join(dir, "file.pex"), "x")
	packed := filepath.Join(dir, "packed")
	writeText(t, filepath.Join(packed, ".bootstrap"), "a zip")
	bare := filepath.Join(dir, "bare")
	writeText(t, filepath.Join(bare, ".bootstrap", "x.py"), "")
	for path, want := range map[string]string{
		file: "--layout loose", packed: "packed", dir: "no .bootstrap", bare: "PEX-INFO: not there", filepath.Join(dir, "gone"): "no such file",
	} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A PEX whose parts are not what PEX-INFO says is refused, and the error names the part.
func TestAPEXThatWasChanged(t *testing.T) {
	t.Parallel()
	original := application(t)
	replace := func(file, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			writeText(t, path, strings.Replace(string(text), old, new, 1))
		}
	}
	const wheel = ".deps/second-2.0-py3-none-any.whl"
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		want   string
	}{
		"code":               {replace("app/__init__.py", "started", "STARTED"), "user code: PEX-INFO says code_hash"},
		"more code":          {func(t *testing.T, dir string) { writeText(t, filepath.Join(dir, "more.py"), "") }, "code_hash"},
		"a distribution":     {replace(wheel+"/second.py", "2.0", "3.0"), "second-2.0-py3-none-any.whl: PEX-INFO says distributions"},
		"a file more":        {func(t *testing.T, dir string) { writeText(t, filepath.Join(dir, wheel, "more.py"), "") }, "distributions"},
		"PEX-INFO":           {replace("PEX-INFO", `"app:main"`, `"app:evil"`), "pex_hash"},
		"no pex_hash":        {replace("PEX-INFO", `"pex_hash"`, `"pex_hush"`), "no pex_hash"},
		"broken JSON":        {replace("PEX-INFO", `{`, `[`), "PEX-INFO"},
		"a path for a wheel": {replace("PEX-INFO", `"second-2.0-py3-none-any.whl"`, `"../second-2.0-py3-none-any.whl"`), "is no name in a PEX"},
		"no distribution": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, wheel)); err != nil {
				t.Fatal(err)
			}
		}, "it is not there"},
		"one too many": {func(t *testing.T, dir string) {
			writeText(t, filepath.Join(dir, ".deps/x-1-py3-none-any.whl/x.py"), "")
		}, "not in PEX-INFO"},
		"a link out": {func(t *testing.T, dir string) {
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "app", "passwd")); err != nil {
				t.Fatal(err)
			}
		}, "neither a file nor a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "app")
			if err := copyAll(original, dir); err != nil {
				t.Fatal(err)
			}
			c.change(t, dir)
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Any pex version and any key: what is absent has pex's default, what is unknown is kept in Raw.
func TestParseInfo(t *testing.T) {
	t.Parallel()
	info, err := ParseInfo([]byte(`{"pex_path": "/a.pex:/b.pex", "venv": true, "zip_safe": 1, "future": {"x": [1.50, null]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if !info.StripPexEnv || !info.EmitWarnings || !info.VenvHermeticScripts || !info.IncludesTools || info.MaxInstallJobs != 1 ||
		info.InheritPath != "false" || info.VenvBinPath != "false" || info.InterpreterSelectionStrategy != "oldest" {
		t.Errorf("defaults: %+v", info)
	}
	if diff := cmp.Diff([]string{"/a.pex", "/b.pex"}, info.PexPaths); diff != "" {
		t.Error(diff)
	}
	if info, err = ParseInfo([]byte(`{"strip_pex_env": false, "pex_paths": ["/c"], "pex_path": "/d", "includes_tools": false, "venv": true}`)); err != nil ||
		info.StripPexEnv || info.IncludesTools || len(info.PexPaths) != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	for _, bad := range []string{"", "[]", `{"requirements": "x"}`, `{"distributions": {"a/b": "x"}}`, `{"distributions": {"a.whl": ".."}}`} {
		if _, err := ParseInfo([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// pythonJSON agrees with Python's json.dumps, whose text is hashed.
func TestPythonJSON(t *testing.T) {
	t.Parallel()
	values := []string{
		`{"b": 1, "a": [true, false, null, 1.5, -2, 12345678901234567890], "é": "\u007f\u0000\t\n\r\b\f\"\\/", "\ud83d\ude00": "\ud83d\ude00 ü", "": {}}`,
		`[]`, `""`, `{"a": {"c": 1, "b": [[], {}]}}`,
	}
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		for s, arguments := range map[separators]string{compact: "sort_keys=True, separators=(',', ':')", spaced: "sort_keys=True"} {
			program := "import json,sys; sys.stdout.write(json.dumps(json.loads(sys.stdin.read()), " + arguments + "))"
			cmd := exec.CommandContext(t.Context(), p.Executable, "-X", "utf8", "-c", program)
			cmd.Stdin = strings.NewReader(value)
			want, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var decoded any
			decoder := json.NewDecoder(strings.NewReader(value))
			decoder.UseNumber()
			if err := decoder.Decode(&decoded); err != nil {
				t.Fatal(err)
			}
			if got := string(pythonJSON(nil, decoded, s)); got != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	}
}

// The names that pex gives to things in PEX_ROOT, asked of pex itself.
func TestNamesInPexRoot(t *testing.T) {
	t.Parallel()
	dir := application(t)
	f, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	tool := provide(t, nil)
	p, err := tool.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const program = `
import json, sys
from pex.cache.dirs import CacheDir
from pex.interpreter import PythonInterpreter
from pex.pex_info import PexInfo
from pex.variables import venv_dir
import os
info = PexInfo.from_pex(sys.argv[1])
venv = venv_dir(pex_root="/pex", pex_hash=info.pex_hash, has_interpreter_constraints=False, pex_file=sys.argv[1], interpreter=PythonInterpreter.get(), expand_pex_root=False)
constrained = venv_dir(pex_root="/pex", pex_hash=info.pex_hash, has_interpreter_constraints=True, pex_file=sys.argv[1], interpreter=PythonInterpreter.get(), expand_pex_root=False)
print(json.dumps([str(venv), str(constrained), os.path.realpath(PythonInterpreter.get().binary), {d.value: d.rel_path() for d in CacheDir.values()}]))
`
	root, err := tool.root(nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tool.runPex(t.Context(), p, command{what: "python", argv: []string{p.Path, "-c", program, dir}, answer: true}, root)
	if err != nil {
		t.Fatal(err)
	}
	var said []any
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	dirs, err := f.CacheDirs()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range said[3].(map[string]any) {
		if dirs.Path(name) != want {
			t.Errorf("%s is %s, pex says %s", name, dirs.Path(name), want)
		}
	}
	constrained := f.Info
	constrained.InterpreterConstraints = []string{">=3.8"}
	for i, info := range []Info{f.Info, constrained} {
		hash, err := info.ContentsHash(said[2].(string))
		if want := "/pex/" + dirs.Path("venvs") + "/" + f.Info.PexHash + "/" + hash; err != nil || said[i] != want {
			t.Errorf("the venv is %s, %v, pex says %s", want, err, said[i])
		}
	}
	if hash, err := (Info{PexPaths: []string{"/a"}}).ContentsHash("/usr/bin/python3"); err == nil {
		t.Errorf("other PEXes do not count: %s", hash)
	}
}

// Before pex 2.18.0 the directories had no version; a pex that names them in another way is not guessed at.
func TestCacheDirsOfOtherVersions(t *testing.T) {
	t.Parallel()
	old, err := (&File{}).CacheDirs()
	if err != nil || old.Path("venvs") != "venvs" {
		t.Errorf("%v, %v", old, err)
	}
	f := &File{Bootstrap: tree.Tree{tree.NewFile("pex/cache/dirs.py", 0o644, []byte("VENVS = Value('venvs', version=9)"))}}
	if _, err := f.CacheDirs(); err == nil {
		t.Error("a file without the other names was accepted")
	}
}

// unzip is what a zipapp holds.
func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	all := map[string]string{}
	for _, e := range archive.File {
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		all[e.Name] = string(content)
	}
	return all
}
