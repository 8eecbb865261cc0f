package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pexko/pexko/internal/testenv"
)

// facts are what probe prints of itself.
type facts struct {
	Argv          []string         `json:"argv"`
	Prog          string           `json:"prog"`
	PID           int              `json:"pid"`
	User          string           `json:"user"`
	Home          string           `json:"home"`
	Cwd           string           `json:"cwd"`
	Prefix        string           `json:"prefix"`
	Executable    string           `json:"executable"`
	VirtualEnv    string           `json:"virtual_env"`
	Path          []string         `json:"path"`
	Isolated      int              `json:"isolated"`
	Unbuffered    bool             `json:"unbuffered"`
	Sitecustomize string           `json:"sitecustomize"`
	Pickled       int              `json:"pickled"`
	Children      map[string][]any `json:"children"`
	Imported      map[string][]any `json:"imported"`
	Data          string           `json:"data"`
}

func factsOf(t *testing.T, r testenv.Result) facts {
	t.Helper()
	var f facts
	if err := json.Unmarshal([]byte(r.Stdout), &f); err != nil || r.Code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	return f
}

// entry is a kind of entry point of probe, and what an application sees of it.
type entry struct {
	name  string
	flags []string
	files map[string]string
	argv0 string
	prog  string
	file  string // in which probe is
	// own is where a spawned child finds the class of the application's main module; "" if it has none.
	own string
}

const site = "/pex/venv/lib/python3.11/site-packages/"

var entries = []entry{
	{"function", []string{"-e", "probe.report:main"}, nil, "/pex/run/probe", "probe", site + "probe/report.py", ""},
	{"module", []string{"-e", "probe.program"}, nil, site + "probe/program.py", "program.py", site + "probe/report.py", "__mp_main__"},
	{"script", []string{"-c", "probe-tool"}, map[string]string{"pyproject.toml": asWheel}, "/pex/venv/bin/probe-tool", "probe-tool", site + "probe/report.py", ""},
}

// multi names, for each way to start a child, what it makes of a class and a function of a module.
func multi(module, forked string, value int) map[string][]any {
	answers := map[string][]any{}
	for _, method := range []string{"spawn", "forkserver", "fork"} {
		answers[method] = []any{module, float64(value)}
	}
	answers["fork"][0] = forked
	return answers
}

// memory is what multiprocessing needs beside a read-only file system: semaphores, which every engine has a place
// for, and the socket of a fork server.
var memory = []string{"--tmpfs=/dev/shm", "--tmpfs=/tmp"}

// TestApplicationFindsItselfAsInAVenv builds an application for each kind of entry point and asks it.
func TestApplicationFindsItselfAsInAVenv(t *testing.T) {
	t.Parallel()
	for _, e := range entries {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			podman := testenv.Podman(t)
			image := build(t, order{dir: project(t, "probe", e.files), base: "bookworm", platforms: []string{amd64}, flags: e.flags}).ids[amd64]
			for _, user := range users {
				e.check(t, factsOf(t, podman.Run(testenv.Container{Image: image, User: user, ReadOnly: true, Args: []string{"facts"}, Options: memory})))
			}
			t.Run("unbuffered", func(t *testing.T) { unbuffered(t, podman, image) })
			t.Run("traceback", func(t *testing.T) { traceback(t, podman, image, e.file) })
			t.Run("signals", func(t *testing.T) { signals(t, podman, image) })
		})
	}
}

func (e entry) check(t *testing.T, got facts) {
	t.Helper()
	want := facts{
		Argv: []string{e.argv0, "facts"}, Prog: e.prog, PID: 1, User: "nonroot", Home: "/home/nonroot", Cwd: "/app",
		Prefix: "/pex/venv", Executable: "/pex/venv/bin/python", VirtualEnv: "/pex/venv",
		Path:    []string{"/usr/lib/python311.zip", "/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload", strings.TrimSuffix(site, "/")},
		Pickled: 7, Data: "package data", Imported: multi("probe.report", "probe.report", 15),
	}
	want.Children = multi("probe.report", "probe.report", 21)
	if e.own != "" {
		want.Children = multi(e.own, "__main__", 14)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// unbuffered ends the application without a flush: what it printed is there only if it was never held back.
func unbuffered(t *testing.T, podman *testenv.Containers, image string) {
	for _, test := range []struct {
		env  []string
		want string
	}{{nil, ""}, {[]string{"PYTHONUNBUFFERED=1"}, "written\n"}} {
		got := podman.Run(testenv.Container{Image: image, ReadOnly: true, Env: test.env, Args: []string{"exit"}})
		if got.Code != 0 || got.Stdout != test.want {
			t.Errorf("%q: %+v", test.env, got)
		}
	}
}

// traceback wants the source lines in it.
func traceback(t *testing.T, podman *testenv.Containers, image, file string) {
	got := podman.Run(testenv.Container{Image: image, ReadOnly: true, Args: []string{"fail"}})
	contains(t, "traceback", got.Stderr, `File "`+file+`"`, `raise LookupError("nothing")  # this line is shown`, "LookupError: nothing\n")
	if got.Code != 1 {
		t.Errorf("exit code %d", got.Code)
	}
}

// signals: a handler of the application's runs, as the first process too; without one that process ignores TERM.
func signals(t *testing.T, podman *testenv.Containers, image string) {
	handles := podman.Start(testenv.Container{Image: image, ReadOnly: true, Args: []string{"wait"}})
	handles.AwaitLog("waiting as 1\n")
	handles.Signal("TERM")
	if code := handles.Wait(); code != 3 || !strings.HasSuffix(handles.Logs().Stdout, "stopped by SIGTERM\n") {
		t.Errorf("exit code %d, %+v", code, handles.Logs())
	}
	ignores := podman.Start(testenv.Container{Image: image, ReadOnly: true, Args: []string{"ignore"}})
	ignores.AwaitLog("waiting as 1\n")
	ignores.Signal("TERM")
	ignores.Signal("INT") // Python itself has a handler for this one
	if code := ignores.Wait(); code != 130 && code != 1 {
		t.Errorf("exit code %d, %+v", code, ignores.Logs())
	}
	contains(t, "ended by INT", ignores.Logs().Stderr, "KeyboardInterrupt")
}

// TestEnvironmentOfPython: PYTHON* variables have their effect unless the image is hermetic; --stop-signal is what `podman stop` sends.
func TestEnvironmentOfPython(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	for _, test := range []struct {
		name     string
		flags    []string
		hermetic bool
		stop     string
	}{
		{"open", nil, false, "SIGTERM"},
		{"hermetic", []string{"--hermetic", "--stop-signal", "SIGINT"}, true, "SIGINT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			flags := append([]string{"-e", "probe.report:main"}, test.flags...)
			image := build(t, order{dir: project(t, "probe", nil), base: "bookworm", platforms: []string{amd64}, flags: flags}).ids[amd64]
			custom := t.TempDir()
			writeFiles(t, custom, map[string]string{"sitecustomize.py": "import sys\nsys.marked_by_sitecustomize = 'yes'\n"})
			got := factsOf(t, podman.Run(testenv.Container{
				Image: image, ReadOnly: true, Env: []string{"PYTHONUNBUFFERED=1", "PYTHONPATH=/custom"}, Volumes: []string{custom + ":/custom:ro"}, Options: memory,
			}))
			marked, isolated := "yes", 0
			if test.hermetic {
				marked, isolated = "", 1
			}
			if got.Unbuffered == test.hermetic || got.Sitecustomize != marked || got.Isolated != isolated || slices.Contains(got.Path, "/custom") == test.hermetic {
				t.Errorf("%+v", got)
			}
			waits := podman.Start(testenv.Container{Image: image, Args: []string{"wait"}})
			waits.AwaitLog("waiting as 1\n")
			if code := waits.Stop(); code != 3 {
				t.Errorf("stop: exit code %d", code)
			}
			contains(t, "stop", waits.Logs().Stdout, "stopped by "+test.stop)
		})
	}
}
