package cli_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pexko/pexko/internal/testenv"
)

type command = func(ts *testscript.TestScript, neg bool, args []string)

// commands are those of testdata/script/README.
func (s *stage) commands() map[string]command {
	all := map[string]func(*testscript.TestScript, []string){
		"wheels":   s.wheels,
		"index":    s.index,
		"registry": s.registry,
		"login":    s.login,
		"refusing": s.refusing,
		"standin":  s.standin,
		"tmpfs":    s.tmpfs,
		"holds":    s.holds,
		"exits":    s.exits,
	}
	commands := map[string]command{}
	for name, run := range all {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("%s cannot be negated", name)
			}
			run(ts, args)
		}
	}
	return commands
}

func arguments(ts *testscript.TestScript, usage string, args []string, least, most int) {
	if len(args) < least || len(args) > most {
		ts.Fatalf("usage: %s", usage)
	}
}

// wheels makes a wheel of each directory NAME.whl in a directory.
func (s *stage) wheels(ts *testscript.TestScript, args []string) {
	arguments(ts, "wheels DIR", args, 1, 1)
	dir := ts.MkAbs(args[0])
	entries, err := os.ReadDir(dir)
	ts.Check(err)
	for _, e := range entries {
		if !e.IsDir() || !strings.HasSuffix(e.Name(), ".whl") {
			continue
		}
		from := filepath.Join(dir, e.Name())
		files := map[string]string{}
		ts.Check(filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			rel, _ := filepath.Rel(from, path)
			files[filepath.ToSlash(rel)] = string(text)
			return err
		}))
		ts.Check(os.RemoveAll(from))
		_, err := testenv.WriteWheel(dir, e.Name(), files)
		ts.Check(err)
	}
}

// index serves a directory as a package index, and has pip use it alone.
func (s *stage) index(ts *testscript.TestScript, args []string) {
	arguments(ts, "index DIR [USER PASSWORD]", args, 1, 3)
	s.wheels(ts, args[:1])
	var o testenv.IndexOptions
	if len(args) == 3 {
		o.User, o.Password = args[1], args[2]
	}
	server := testenv.Index(s.t, ts.MkAbs(args[0]), o)
	ts.Setenv("PIP_NO_INDEX", "")
	ts.Setenv("PIP_INDEX_URL", server.AuthURL())
	ts.Setenv("INDEX", server.URL)
}

// registry gives the script a place of its own in a registry, $REGISTRY.
func (s *stage) registry(ts *testscript.TestScript, args []string) {
	arguments(ts, "registry", args, 0, 0)
	ts.Setenv("REGISTRY", testenv.Registry(s.t))
}

// login does so in the registry that wants a password, $PRIVATE; with "login off" nobody is logged in.
func (s *stage) login(ts *testscript.TestScript, args []string) {
	arguments(ts, "login [off]", args, 0, 1)
	registry := testenv.AuthRegistry(s.t)
	ts.Setenv("PRIVATE", registry.Prefix)
	if len(args) == 0 {
		ts.Setenv("DOCKER_CONFIG", registry.DockerConfig(s.t))
	}
}

// refusing starts a registry, $REFUSING, that lets everybody in and nobody push.
func (s *stage) refusing(ts *testscript.TestScript, args []string) {
	arguments(ts, "refusing STATUS", args, 1, 1)
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(status)
		}
	}))
	s.t.Cleanup(server.Close)
	ts.Setenv("REFUSING", strings.TrimPrefix(server.URL, "http://"))
}

// standin makes a base in which nothing runs.
func (s *stage) standin(ts *testscript.TestScript, args []string) {
	arguments(ts, "standin DIR PYTHON ARCH", args, 3, 3)
	_, err := testenv.StandIn{Python: args[1], Arch: args[2]}.Write(ts.MkAbs(args[0]))
	ts.Check(err)
}

// tmpfs mounts a small file system, so that a disk can be full.
func (s *stage) tmpfs(ts *testscript.TestScript, args []string) {
	arguments(ts, "tmpfs DIR SIZE", args, 2, 2)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Errorf("%s: %v", dir, err)
		}
	})
}

// holds checks what is in a directory, hidden files included.
func (s *stage) holds(ts *testscript.TestScript, args []string) {
	arguments(ts, "holds DIR NAME…", args, 1, 100)
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := fmt.Sprint(names), fmt.Sprint(args[1:]); got != want {
		ts.Fatalf("%s holds %s, not %s", args[0], got, want)
	}
}

// exits runs a program that is to end with a certain code.
func (s *stage) exits(ts *testscript.TestScript, args []string) {
	arguments(ts, "exits CODE PROGRAM ARGUMENT…", args, 2, 100)
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, not %d", code, want)
	}
}
