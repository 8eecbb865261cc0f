package pexko_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// workspace is where the tests of this package put what other users have to read, which t.TempDir's they cannot.
var workspace = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pexko-test-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := workspace(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// publicDir makes an empty directory that everybody may read.
func publicDir(t testing.TB) string {
	t.Helper()
	parent, err := workspace()
	check(t, err)
	dir, err := os.MkdirTemp(parent, "dir-")
	check(t, err)
	check(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// compiled is the command itself, built once.
var compiled = sync.OnceValues(func() (string, error) {
	dir, err := workspace()
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "pexko")
	out, err := exec.Command("go", "build", "-o", name, "./cmd/pexko").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, err
})

func binary(t testing.TB) string {
	t.Helper()
	name, err := compiled()
	check(t, err)
	return name
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run is one start of the command.
type run struct {
	args []string
	// env is the whole environment, but for PATH and what keeps pip from looking further than the index it is given.
	env []string
	dir string // "" is a fresh one
	// through is a command that starts the command: setpriv, sh -c 'umask …'.
	through []string
	// cache is the cache directory; "" is a fresh one.
	cache string
}

type result struct {
	stdout, stderr string
	code           int
}

// command prepares the process.
func (r run) command(t testing.TB, ctx context.Context) *exec.Cmd {
	t.Helper()
	if r.cache == "" {
		r.cache = filepath.Join(t.TempDir(), "cache")
	}
	argv := append(append([]string{}, r.through...), binary(t))
	argv = append(append(argv, "build", "--cache-dir="+r.cache), r.args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CONFIG_FILE=/dev/null", "PIP_RETRIES=0"}, r.env...)
	if cmd.Dir = r.dir; r.dir == "" {
		cmd.Dir = publicDir(t)
	}
	return cmd
}

// do runs the command to its end.
func (r run) do(t testing.TB) result {
	t.Helper()
	cmd := r.command(t, t.Context())
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), log.String(), cmd.ProcessState.ExitCode()}
}

// must is do for a build that succeeds; it returns standard output.
func (r run) must(t testing.TB) string {
	t.Helper()
	got := r.do(t)
	if got.code != 0 {
		t.Fatalf("pexko %s: exit code %d\n%s", strings.Join(r.args, " "), got.code, got.stderr)
	}
	return strings.TrimSpace(got.stdout)
}

// sharedCache is a cache that has pex in it, from run to run.
func sharedCache(t testing.TB) string {
	t.Helper()
	testenv.Base(t, "bookworm")
	dir := filepath.Join(os.Getenv("PEXKO_TESTBED"), "build-cache")
	provision(t, dir)
	return dir
}

var provisioned sync.Map // cache directory -> *sync.Once

// provision has pex fetched into a cache by pip as this machine has it configured.
func provision(t testing.TB, cache string) {
	t.Helper()
	once, _ := provisioned.LoadOrStore(cache, &sync.Once{})
	once.(*sync.Once).Do(func() {
		dir := t.TempDir()
		writeProject(t, dir, map[string]string{"main.py": "", "requirements.txt": ""})
		cmd := exec.CommandContext(t.Context(), binary(t), "build", dir, "--quiet", "--name=provision", "--cache-dir="+cache,
			"--host-python="+testenv.Python(t, "3.11"), "--base=oci:"+testenv.Base(t, "bookworm"), "--pex="+filepath.Join(dir, "app.pex"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

// tools are the wheels of pex and of what it needs, for an index of the test's own.
func tools(t testing.TB) []string {
	t.Helper()
	wheels, err := filepath.Glob(filepath.Join(sharedCache(t), "dirs", "pex", "*", "wheels", "*.whl"))
	check(t, err)
	if len(wheels) < 2 {
		t.Fatalf("the cache has %v, and not pex and its pip", wheels)
	}
	return wheels
}

// writeProject writes files, by path, with everybody's permission to read.
func writeProject(t testing.TB, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// copyTo copies files into a directory.
func copyTo(t testing.TB, dir string, files ...string) {
	t.Helper()
	for _, file := range files {
		content, err := os.ReadFile(file)
		check(t, err)
		check(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o644))
	}
}
