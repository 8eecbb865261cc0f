package bytecode

import (
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// through starts the interpreter by a shell script, which becomes it with exec.
func through(i Interpreter, script string) Interpreter {
	i.Argv = append([]string{"/bin/sh", "-c", script + "\n" + `exec "$0" "$@"`}, i.Argv...)
	return i
}

func TestInterpreterThatIsNotWhatItSays(t *testing.T) {
	i := anyPython(t)
	s := store(t, t.TempDir())
	wrong := i
	wrong.Version = "3.99.1"
	_, err := New(wrong, Options{Store: s}).Compile(t.Context(), []Source{text("/app/a.py", "x = 1\n")})
	var e *VersionError
	if !errors.As(err, &e) || e.Want != "3.99.1" || e.Got != "cpython "+i.Version || !strings.Contains(err.Error(), "3.99.1") || !strings.Contains(err.Error(), i.Version) {
		t.Errorf("got %v", err)
	}
	_, err = New(through(i, "echo this is broken >&2; exit 3"), Options{Store: s}).Compile(t.Context(), []Source{text("/app/a.py", "x = 1\n")})
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "this is broken") {
		t.Errorf("got %v", err)
	}
	var failed *StartError
	if !errors.As(err, &failed) || failed.Version != i.Version || !strings.Contains(failed.Hint(), "--bytecode=none") {
		t.Errorf("got %T without a hint", err)
	}
	_, err = New(Interpreter{Argv: []string{"/dev/null"}, Version: i.Version}, Options{Store: s}).Compile(t.Context(), []Source{text("/app/a.py", "x = 1\n")})
	if !errors.As(err, &failed) || !strings.Contains(failed.Hint(), "noexec") {
		t.Errorf("got %v", err)
	}
}

// TestCrashTouchesOneSource has the C stack overflow, on a stack too small for what the parser allows itself.
func TestCrashTouchesOneSource(t *testing.T) {
	i := through(anyPython(t), "ulimit -s 256")
	s := store(t, t.TempDir())
	for range 2 {
		c := New(i, Options{Store: s, Jobs: 1})
		results := compile(t, c,
			text("/app/crash.py", strings.Repeat("-", 5000)+"1\n"),
			text("/app/a.py", "x = 1\n"),
			text("/app/b.py", "y = 1\n"))
		if want := "the compiler crashed (segmentation fault)"; results[0].Skipped != want {
			t.Errorf("got %q, want %q", results[0].Skipped, want)
		}
		for _, r := range results[1:] {
			if r.Skipped != "" {
				t.Errorf("skipped: %s", r.Skipped)
			}
		}
		if c.Stats().Compiled == 0 {
			t.Error("a crash was remembered")
		}
	}
}

func TestSourceThatTakesTooLong(t *testing.T) {
	c := New(anyPython(t), Options{Store: store(t, t.TempDir())})
	c.limit = time.Second
	_, err := c.Compile(t.Context(), []Source{text("/app/slow.py", strings.Repeat("x = [y, 1]\n", MaxSource/12))})
	if err == nil || !strings.Contains(err.Error(), "/app/slow.py: compiling it took more than 1s") {
		t.Errorf("got %v", err)
	}
}

// TestCancelLeavesNoProcess cancels while a child compiles, and looks for the process group.
func TestCancelLeavesNoProcess(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	c := New(through(anyPython(t), "echo $$ >"+pidFile), Options{Store: store(t, t.TempDir())})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Ctrl-C")
	go func() {
		for ctx.Err() == nil && childOf(pidFile) == "" {
			time.Sleep(time.Millisecond)
		}
		cancel(why)
	}()
	_, err := c.Compile(ctx, []Source{text("/app/slow.py", strings.Repeat("x = [y, 1]\n", MaxSource/12))})
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if left := group(t, pidFile); len(left) != 0 {
		t.Errorf("still running: %v", left)
	}
}

func TestFailureLeavesNoProcess(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	c := New(through(anyPython(t), "echo $$ >"+pidFile), Options{Store: store(t, t.TempDir()), Jobs: 1})
	opened := 0
	gone := text("/app/b.py", "")
	gone.Open = func() (io.ReadCloser, error) {
		if opened++; opened > 1 {
			return nil, os.ErrNotExist
		}
		return io.NopCloser(strings.NewReader("")), nil
	}
	if _, err := c.Compile(t.Context(), []Source{text("/app/a.py", "x = 1\n"), gone}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if left := group(t, pidFile); len(left) != 0 {
		t.Errorf("still running: %v", left)
	}
}

// childOf gives the children of the process whose id is in the file; "" as long as there are none.
func childOf(pidFile string) string {
	pid, _ := os.ReadFile(pidFile)
	id := strings.TrimSpace(string(pid))
	if id == "" {
		return ""
	}
	children, _ := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
	return string(children)
}

// group lists the living processes of the group that the process in the file led. Killed ones whose
// parent died first may wait for init to reap them; they do not run any more.
func group(t *testing.T, pidFile string) []string {
	t.Helper()
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(string(pid))
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, name := range stats {
		stat, _ := os.ReadFile(name)
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[2] == id && fields[0] != "Z" && !dying(name) {
			left = append(left, string(stat))
		}
	}
	return left
}

// dying says whether a process has been sent SIGKILL: it will not run another instruction of its own.
func dying(stat string) bool {
	status, err := os.ReadFile(filepath.Join(filepath.Dir(stat), "status"))
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(status)) {
		if name, mask, _ := strings.Cut(line, ":"); name == "SigPnd" || name == "ShdPnd" {
			bits, _ := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			if bits&(1<<(syscall.SIGKILL-1)) != 0 {
				return true
			}
		}
	}
	return false
}

// TestEnvironmentIsBuiltFromNothing shows what a process gets to see.
func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("REGISTRY_PASSWORD", "secret")
	seen := filepath.Join(t.TempDir(), "env")
	i := anyPython(t)
	i.Env = []string{"PYTHONHASHSEED=12", "LANG=C"}
	compile(t, New(through(i, "env >"+seen), Options{Store: store(t, t.TempDir())}), text("/app/a.py", "x = 1\n"))
	env, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(env)) {
		if !strings.HasPrefix(line, "PWD=") && !strings.HasPrefix(line, "_=") { // the shell's own
			names = append(names, strings.TrimSpace(line))
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"LANG=C", "LC_ALL=C", "PYTHONHASHSEED=0", "PYTHONPYCACHEPREFIX=/dev/null", "PYTHONUTF8=1"}, names); diff != "" {
		t.Error(diff)
	}
}

// TestStartOfTheInterpreterDoesNotShow has the modules of the start-up come from pycs, as a plain run of
// Python would, and from sources, as in a base image without bytecode.
func TestStartOfTheInterpreterDoesNotShow(t *testing.T) {
	for _, minor := range []string{"3.10", "3.11", "3.12", "3.13"} {
		t.Run(minor, func(t *testing.T) {
			t.Parallel()
			i := python(t, minor)
			sources := append(files(t, stdlib(t, i), 8, "json", "wsgiref"), hardCases()...)
			want := sums(t, sources, compile(t, New(i, Options{Store: store(t, t.TempDir())}), sources...))
			plain := New(through(i, "unset PYTHONPYCACHEPREFIX PYTHONUTF8 LC_ALL"), Options{Store: store(t, t.TempDir())})
			if diff := cmp.Diff(want, sums(t, sources, compile(t, plain, sources...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestThroughTheDynamicLoader starts Python as a base image's is started.
func TestThroughTheDynamicLoader(t *testing.T) {
	for _, minor := range []string{"3.10", "3.11", "3.13"} {
		t.Run(minor, func(t *testing.T) { throughLoader(t, python(t, minor)) })
	}
}

func throughLoader(t *testing.T, direct Interpreter) {
	program, err := filepath.EvalSymlinks(direct.Argv[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	loader, err := file.Section(".interp").Data()
	if err != nil {
		t.Fatal(err)
	}
	prefix := strings.TrimSpace(ask(t, direct, "", "-c", "import sys; print(sys.base_prefix)"))
	loaded := Interpreter{
		Argv:    []string{strings.TrimRight(string(loader), "\x00"), program},
		Env:     append([]string{"PYTHONHOME=" + prefix}, direct.Env...),
		Version: direct.Version,
	}
	sources := append(files(t, stdlib(t, direct), 20, "asyncio"), hardCases()...)
	want := sums(t, sources, compile(t, New(direct, Options{Store: store(t, t.TempDir())}), sources...))
	got := sums(t, sources, compile(t, New(loaded, Options{Store: store(t, t.TempDir())}), sources...))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
