package bytecode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/tree"
)

var whole = flag.Bool("whole", false, "compile whole installations where samples do otherwise")

// pythons remembers what this machine has: asking is a fifth of the time of these tests.
var pythons sync.Map // minor version -> func() (Interpreter, error)

func find(minor string) (Interpreter, error) {
	once, _ := pythons.LoadOrStore(minor, sync.OnceValues(func() (Interpreter, error) {
		return AnyHostInterpreter(context.Background(), minor, os.Environ())
	}))
	return once.(func() (Interpreter, error))()
}

// python gives the newest Python of a minor version on this machine.
func python(t testing.TB, minor string) Interpreter {
	t.Helper()
	i, err := find(minor)
	if errors.As(err, new(*NoInterpreterError)) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// anyPython gives the first of the supported Pythons that this machine has. One there must be.
func anyPython(t testing.TB) Interpreter {
	t.Helper()
	for _, minor := range []string{"3.13", "3.12", "3.11", "3.10"} {
		if i, err := find(minor); err == nil {
			return i
		}
	}
	t.Fatal("these tests need a Python from 3.10 to 3.13 on PATH")
	return Interpreter{}
}

// ask runs Python code in an interpreter, with what site adds.
func ask(t testing.TB, i Interpreter, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(i.Argv[0], append(i.Argv[1:len(i.Argv):len(i.Argv)], args...)...)
	cmd.Env = append(i.Env[:len(i.Env):len(i.Env)], "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

func stdlib(t testing.TB, i Interpreter) string {
	return strings.TrimSpace(ask(t, i, "", "-c", "import os; print(os.path.dirname(os.__file__))"))
}

func store(t testing.TB, dir string) *cas.Store {
	t.Helper()
	s, err := cas.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// files are the sources below some parts of dir, at most n of them; mode and path as in an image.
func files(t testing.TB, dir string, n int, parts ...string) []Source {
	t.Helper()
	var all []Source
	for _, part := range parts {
		err := filepath.WalkDir(filepath.Join(dir, part), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".py") || len(all) == n {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, name)
			all = append(all, Source{Path: "/pex/venv/lib/" + filepath.ToSlash(rel), Mode: Unchecked, Size: info.Size(), Open: tree.Path(name)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func text(path, content string) Source {
	return Source{Path: path, Mode: Checked, Size: int64(len(content)), Open: tree.Bytes([]byte(content))}
}

func content(t testing.TB, r Result) []byte {
	t.Helper()
	f, err := r.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || int64(len(b)) != r.Size {
		t.Fatalf("%d bytes of %d: %v", len(b), r.Size, err)
	}
	return b
}

func compile(t testing.TB, c *Compiler, sources ...Source) []Result {
	t.Helper()
	results, err := c.Compile(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(sources) {
		t.Fatalf("%d results for %d sources", len(results), len(sources))
	}
	return results
}

// sums are the digests of the results, by path.
func sums(t testing.TB, sources []Source, results []Result) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for i, r := range results {
		if r.Skipped != "" {
			all[sources[i].Path] = "skip"
			continue
		}
		sum := sha256.Sum256(content(t, r))
		all[sources[i].Path] = hex.EncodeToString(sum[:])
	}
	return all
}

// onDisk writes sources where a program can read them, and gives lines of file, TAB, path.
func onDisk(t testing.TB, sources []Source) string {
	t.Helper()
	dir := t.TempDir()
	var list bytes.Buffer
	for i, s := range sources {
		b, err := tree.Entry{Kind: tree.File, Size: s.Size, Open: s.Open}.Read(MaxSource)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%d.py", i))
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "%s\t%s\n", name, s.Path)
	}
	return list.String()
}
