package bytecode

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/tree"
)

func TestCacheName(t *testing.T) {
	i := anyPython(t)
	for _, name := range []string{"pkg/mod.py", "mod.py", "/pex/venv/a.b.py", "script", ".py", ".hidden.py", "d.ir/x.py"} {
		want := strings.TrimSpace(ask(t, i, "", "-c", "import sys, importlib.util; sys.implementation.cache_tag = 'cpython-311'; print(importlib.util.cache_from_source(sys.argv[1]))", name))
		if got := CacheName(name, "cpython-311"); got != want {
			t.Errorf("%s: got %s, importlib says %s", name, got, want)
		}
	}
}

// TestImportSystemTakesThePycs has a real Python import what was compiled.
func TestImportSystemTakesThePycs(t *testing.T) {
	i := anyPython(t)
	dir := t.TempDir()
	var sources []Source
	for name, mode := range map[string]Mode{"unchecked": Unchecked, "checked": Checked} {
		s := text(filepath.Join(dir, name+".py"), "value = 'compiled'\n")
		s.Mode = mode
		sources = append(sources, s)
	}
	tag := strings.TrimSpace(ask(t, i, "", "-c", "import sys; print(sys.implementation.cache_tag)"))
	for n, r := range compile(t, New(i, Options{Store: store(t, t.TempDir())}), sources...) {
		pyc := CacheName(sources[n].Path, tag)
		err := errors.Join(os.MkdirAll(filepath.Dir(pyc), 0o755), os.WriteFile(pyc, content(t, r), 0o644), os.WriteFile(sources[n].Path, []byte("value = 'edited'\n"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	got := ask(t, i, "", "-c", "import sys; sys.path[:0] = sys.argv[1:]; import unchecked, checked; print(unchecked.value, checked.value)", dir)
	if got != "compiled edited\n" {
		t.Errorf("got %s", got)
	}
}

func TestWhatDoesNotCompileIsSkipped(t *testing.T) {
	for _, minor := range []string{"3.10", "3.11", "3.12", "3.13"} {
		t.Run(minor, func(t *testing.T) {
			t.Parallel()
			big := text("/app/big.py", "")
			big.Size = MaxSource + 1
			cases := []struct {
				Source
				want string
			}{
				{text("/app/bad.py", "x = 1\ndef f(:\n"), "SyntaxError: invalid syntax (bad.py, line 2)"},
				{text("/app/tabs.py", "if 1:\n\tx\n        y\n"), "TabError: "},
				{text("/app/nul.py", "x\x00"), "source code string cannot contain null bytes"},
				{text("/app/deep.py", strings.Repeat("-", 100_000)+"1"), "MemoryError"},
				{text("/app/long.py", "a"+strings.Repeat(".a", 100_000)), "RecursionError: maximum recursion depth exceeded"},
				{text("/app/coding.py", "# coding: nonsense\n"), "SyntaxError: "},
				{big, "16777217 bytes of source, more than the limit of 16 MiB"},
				{text("/app/good.py", "x = 1\n"), ""},
			}
			var sources []Source
			for _, c := range cases {
				sources = append(sources, c.Source)
			}
			s := store(t, t.TempDir())
			for _, run := range []string{"cold", "warm"} {
				c := New(python(t, minor), Options{Store: s, Jobs: 1})
				for n, r := range compile(t, c, sources...) {
					if want := cases[n].want; !strings.Contains(r.Skipped, want) || want == "" && r.Skipped != "" || (r.Open == nil) != (want != "") {
						t.Errorf("%s, %s: got %q, want %q", run, cases[n].Path, r.Skipped, want)
					}
				}
				if got := c.Stats().Compiled; run == "warm" && got != 1 {
					t.Errorf("warm: %d compiled, want the MemoryError alone, which is not remembered", got)
				}
			}
		})
	}
}

func TestBadSourcesAndOptions(t *testing.T) {
	i, s := anyPython(t), store(t, t.TempDir())
	good := text("/app/a.py", "x = 1\n")
	gone := good
	gone.Open = tree.Path("/nonexistent/a.py")
	longer, shorter := good, good
	longer.Size, shorter.Size = 7, 5
	relative, noMode, noContent := good, good, good
	relative.Path, noMode.Mode, noContent.Open = "app/a.py", 0, nil
	opened := 0
	changes := text("/app/changes.py", "x = 1\n")
	changes.Open = func() (io.ReadCloser, error) {
		opened++
		return tree.Bytes([]byte("x = " + string(rune('0'+opened)) + "\n"))()
	}
	for name, c := range map[string]struct {
		compiler *Compiler
		source   Source
		want     string
	}{
		"no store":    {New(i, Options{}), good, "Store"},
		"no program":  {New(Interpreter{Version: "3.11.2"}, Options{Store: s}), good, "no program"},
		"relative":    {New(Interpreter{Argv: []string{"python3"}, Version: "3.11.2"}, Options{Store: s}), good, "python3: not an absolute path"},
		"no version":  {New(Interpreter{Argv: i.Argv}, Options{Store: s}), good, "unknown version"},
		"path":        {New(i, Options{Store: s}), relative, `"app/a.py": not an absolute path`},
		"mode":        {New(i, Options{Store: s}), noMode, "/app/a.py: unknown mode Mode(0)"},
		"no content":  {New(i, Options{Store: s}), noContent, "/app/a.py: has no content"},
		"gone":        {New(i, Options{Store: s}), gone, "/nonexistent/a.py: no such file"},
		"longer":      {New(i, Options{Store: s}), longer, "/app/a.py: has not the 7 bytes"},
		"shorter":     {New(i, Options{Store: s}), shorter, "/app/a.py: has not the 5 bytes"},
		"changed":     {New(i, Options{Store: s}), changes, "/app/changes.py: changed while it was compiled"},
		"not started": {New(Interpreter{Argv: []string{"/nonexistent/python"}, Version: "3.11.2"}, Options{Store: s}), good, "/nonexistent/python"},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := c.compiler.Compile(t.Context(), []Source{c.source})
			if err == nil || !strings.Contains(err.Error(), c.want) || results != nil {
				t.Errorf("got %v, %v; want %q", results, err, c.want)
			}
		})
	}
}

func TestNothingToDo(t *testing.T) {
	c := New(anyPython(t), Options{Store: store(t, t.TempDir())})
	if got := compile(t, c); len(got) != 0 || c.Stats() != (Stats{}) {
		t.Errorf("got %v, %+v", got, c.Stats())
	}
}

func TestFewSourcesStartOneProcess(t *testing.T) {
	c := New(anyPython(t), Options{Store: store(t, t.TempDir()), Jobs: 8})
	compile(t, c, text("/app/a.py", "a = 1\n"), text("/app/b.py", "b = 1\n"), text("/app/c.py", "c = 1\n"))
	if diff := cmp.Diff(Stats{Started: 1, Compiled: 3}, c.Stats()); diff != "" {
		t.Error(diff)
	}
}

// TestDamagedCacheIsCompiledAgain damages every stored result, as a full disk or a crash would.
func TestDamagedCacheIsCompiledAgain(t *testing.T) {
	i, dir := anyPython(t), t.TempDir()
	s := store(t, dir)
	source := text("/app/a.py", "x = 1\n")
	first := compile(t, New(i, Options{Store: s}), source)[0]
	want := content(t, first)
	err := filepath.WalkDir(filepath.Join(dir, "records"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Truncate(name, 40)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Open(); err == nil || !strings.Contains(err.Error(), "/app/a.py") {
		t.Errorf("a damaged result was opened: %v", err)
	}
	c := New(i, Options{Store: s})
	if diff := cmp.Diff(want, content(t, compile(t, c, source)[0])); diff != "" {
		t.Error(diff)
	}
	if c.Stats().Compiled != 1 {
		t.Errorf("%+v", c.Stats())
	}
}

func TestCancelledBeforeItStarts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := New(anyPython(t), Options{Store: store(t, t.TempDir())})
	if _, err := c.Compile(ctx, []Source{text("/app/a.py", "x = 1\n")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if c.Stats().Started != 0 {
		t.Errorf("%+v", c.Stats())
	}
}
