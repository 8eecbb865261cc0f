package bytecode

import (
	"context"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is 300 files of the standard library, encodings and asyncio among them.
func sample(t testing.TB, i Interpreter) []Source {
	t.Helper()
	parts := []string{"asyncio", "encodings", "collections", "email", "concurrent", "multiprocessing", "json", "http", "logging", "unittest", "xml", "importlib", "ctypes"}
	all := files(t, stdlib(t, i), 300, parts...)
	if len(all) < 290 {
		t.Fatalf("only %d files in the sample", len(all))
	}
	return all
}

// TestSameBytesWhateverTheCircumstances compiles the sample in two quite different ways and once from the
// cache: other order, other number of processes, other calls, another environment of the caller.
func TestSameBytesWhateverTheCircumstances(t *testing.T) {
	system, err := host{os.Environ()}.ask(t.Context(), "/usr/bin/python3")
	if err != nil {
		t.Fatalf("these tests need the system's Python: %v", err)
	}
	for name, interpreter := range map[string]func(*testing.T) Interpreter{
		"system": func(*testing.T) Interpreter { return system },
		"3.13":   func(t *testing.T) Interpreter { return python(t, "3.13") },
		"3.10":   func(t *testing.T) Interpreter { return python(t, "3.10") },
	} {
		t.Run(name, func(t *testing.T) {
			i := interpreter(t)
			sources := sample(t, i)
			if name == "3.10" {
				sources = sources[:100]
			}
			one := New(i, Options{Store: store(t, t.TempDir()), Jobs: 1})
			want := sums(t, sources, compile(t, one, sources...))

			for variable, value := range map[string]string{"PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1", "LC_ALL": "C", "TZ": "Asia/Tokyo"} {
				t.Setenv(variable, value)
			}
			kept := store(t, t.TempDir())
			other := New(i, Options{Store: kept, Jobs: 3})
			if diff := cmp.Diff(want, inParts(t, other, sources)); diff != "" {
				t.Errorf("other circumstances, other bytecode: %s", diff)
			}
			n := int64(len(sources))
			if got := other.Stats(); got.Compiled != n || got.Cached != 0 {
				t.Errorf("cold: %+v, want %d compiled", got, n)
			}

			warm := New(i, Options{Store: kept})
			if diff := cmp.Diff(want, sums(t, sources, compile(t, warm, sources...))); diff != "" {
				t.Errorf("the cache gives other bytecode: %s", diff)
			}
			if diff := cmp.Diff(Stats{Cached: n}, warm.Stats()); diff != "" {
				t.Errorf("warm: %s", diff)
			}
		})
	}
}

// inParts compiles every third source in calls of their own and at the same time, in reverse order.
func inParts(t *testing.T, c *Compiler, sources []Source) map[string]string {
	t.Helper()
	parts := make([][]Source, 3)
	for n, s := range slices.Backward(sources) {
		parts[n%3] = append(parts[n%3], s)
	}
	all := make(map[string]string)
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, part := range parts {
		group.Go(func() {
			results, err := c.Compile(t.Context(), part)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, sums(t, part, results))
		})
	}
	group.Wait()
	return all
}

// TestForkIsAFreshProcess compares forks of one parent with a process for each source, where that is hard:
// 3.10 writes what else is in memory into the reference flags.
func TestForkIsAFreshProcess(t *testing.T) {
	i := python(t, "3.10")
	sources := append(files(t, stdlib(t, i), 30, "asyncio"), hardCases()...)
	want := sums(t, sources, compile(t, New(i, Options{Store: store(t, t.TempDir()), Jobs: 1}), sources...))
	fresh := New(i, Options{Store: store(t, t.TempDir()), Jobs: 1})
	got := make(map[string]string)
	for _, s := range sources {
		maps.Copy(got, sums(t, []Source{s}, compile(t, fresh, s)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := fresh.Stats(); n.Started != int64(len(sources)) {
		t.Errorf("%+v, want a process for each source", n)
	}
}

// TestKeySeparates compiles one text in every way that has to give another pyc.
func TestKeySeparates(t *testing.T) {
	i, s := anyPython(t), store(t, t.TempDir())
	c := New(i, Options{Store: s})
	a := text("/app/a.py", "def f(): pass\n")
	unchecked, moved, edited := a, a, text("/app/a.py", "def g(): pass\n")
	unchecked.Mode, moved.Path = Unchecked, "/app/b.py"
	sources := []Source{a, unchecked, moved, edited}
	seen := make(map[string]bool)
	for n, r := range compile(t, c, sources...) {
		seen[string(content(t, r))] = true
		alone := compile(t, New(i, Options{Store: store(t, t.TempDir())}), sources[n])[0]
		if !slices.Equal(content(t, r), content(t, alone)) {
			t.Errorf("%d: not the same alone", n)
		}
	}
	if len(seen) != 4 || c.Stats().Cached != 0 {
		t.Errorf("%d different pycs, %+v", len(seen), c.Stats())
	}
}

// TestResultsAreNotHeldInMemory keeps thousands of wheels' files from adding up.
func TestResultsAreNotHeldInMemory(t *testing.T) {
	i := anyPython(t)
	c := New(i, Options{Store: store(t, t.TempDir())})
	sources := files(t, stdlib(t, i), 60, "asyncio", "email")
	compile(t, c, sources...)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	results, err := c.Compile(context.Background(), sources)
	if err != nil {
		t.Fatal(err)
	}
	held := heap() - before
	var size int64
	for _, r := range results {
		size += r.Size
	}
	if held > size/4 {
		t.Errorf("%d bytes held for %d bytes of bytecode", held, size)
	}
	runtime.KeepAlive(results)
}
