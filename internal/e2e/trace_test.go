package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestStartReadsNoSource looks at every system call of a start that names a file: none reads a Python source, be it
// the standard library's, a wheel's or the entry stub, and none looks into anything that pex boots with. The
// application's own sources are an exception: their bytecode is valid while it has the source's hash, so that what
// is copied into a container takes effect; they are read and not compiled.
func TestStartReadsNoSource(t *testing.T) {
	t.Parallel()
	for _, test := range starts {
		t.Run(test.name+"/"+test.base, func(t *testing.T) {
			t.Parallel()
			image := test.image(t).ids[amd64]
			read := 0
			for _, c := range test.trace(t, rootfs(t, image), configOf(t, image)) {
				switch {
				case strings.HasSuffix(c.path, ".py") && !c.failed && !test.owns(c.file) && !readsItself(c.path):
					t.Errorf("reads a source: %s", c.line)
				case boots(c.path):
					t.Errorf("reads what pex boots with: %s", c.line)
				case c.writes && !strings.HasPrefix(c.path, "/dev/"):
					t.Errorf("writes: %s", c.line)
				case strings.HasSuffix(c.path, ".pyc") && !c.failed:
					read++
				}
			}
			if read < 20 {
				t.Errorf("only %d pycs were read: the trace is not of a start", read)
			}
		})
	}
}

// owns tells whether a file, links resolved, is the application's own code.
func (s start) owns(file string) bool {
	return strings.HasPrefix(file, "/app/") || strings.Contains(file, "/"+s.name+"-1.0-py3-none-any.whl/")
}

// readThemselves are sources that their own package reads when it is imported: anyio finds in its syntax tree what it imports lazily.
var readThemselves = []string{"/anyio/__init__.py", "/anyio/abc/__init__.py"}

func readsItself(path string) bool {
	return slices.ContainsFunc(readThemselves, func(file string) bool { return strings.HasSuffix(path, file) })
}

// boots tells whether a path is one from which pex starts a PEX.
func boots(path string) bool {
	below, ok := strings.CutPrefix(path, "/pex/")
	if !ok {
		return false
	}
	for _, prefix := range []string{
		"bootstraps", "unzipped_pexes", "user_code", "venvs", "interpreters",
		"venv/__main__", "venv/__pycache__/__main__", "venv/pex", "venv/PEX-INFO", "venv/.last-access",
	} {
		if strings.HasPrefix(below, prefix) {
			return true
		}
	}
	top, _, _ := strings.Cut(below, "/")
	return strings.HasSuffix(top, ".pex")
}

// config is the part of an image's configuration that says how it starts.
type config struct {
	Env        []string
	Entrypoint []string
	WorkingDir string
}

func configOf(t *testing.T, image string) config {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "podman", "image", "inspect", "--format", "{{json .Config}}", image).Output()
	if err != nil {
		t.Fatalf("podman image inspect: %v %s", err, stderrOf(err))
	}
	var c config
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// traced are the system calls that open, make or remove a file.
const traced = "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,utimensat,chmod,fchmodat"

// inside has a container's devices and processes in a file system that is not one's own: $1.
const inside = `mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && shift && exec "$@"`

// trace starts the image's command in its file system under strace, with no network and not as root, until it is ready.
func (s start) trace(t *testing.T, root string, c config) []call {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	args := []string{
		"--mount", "--net", "sh", "-c", inside, "sh", root, "strace", "-f", "-qq", "-y", "-s", "4096", "-o", file, "-e", traced,
		"chroot", "--userspec=12345:0", root, "env", "-i", "-C", c.WorkingDir,
	}
	cmd := exec.CommandContext(t.Context(), "unshare", append(append(args, c.Env...), c.Entrypoint...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log := &watched{text: s.ready, there: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // a server ends by the signal
	}()
	select {
	case <-log.there:
	case <-ended:
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the group: strace itself lets its program have the signal
	<-ended
	if output, ready := log.output(); !ready {
		t.Fatalf("it did not get ready:\n%s", output)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parseTrace(string(text), root)
}

// watched is output that is waited for.
type watched struct {
	text  string
	there chan struct{} // closed when text was written
	mu    sync.Mutex
	all   []byte
	found bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, p...)
	if !w.found && bytes.Contains(w.all, []byte(w.text)) {
		w.found = true
		close(w.there)
	}
	return len(p), nil
}

func (w *watched) output() (text string, found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.all), w.found
}

// call is a system call that names a file.
type call struct {
	line   string
	path   string // as it was named
	file   string // of an open file: links resolved
	failed bool
	writes bool
}

var (
	// PID NAME(DIRECTORY, "PATH", …) = RESULT<FILE>; the directory of openat is AT_FDCWD or a descriptor.
	tracedCall = regexp.MustCompile(`^\d+ +(\w+)\((?:\w+(?:<[^>]*>)?, )?"([^"]*)"(.*)\) += (-?\d+)(?:<(.*)>)?`)
	// A call that another thread's came between is on two lines.
	begun   = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
)

// parseTrace reads strace's lines from the start of the image's own program on. Paths are those in the image.
func parseTrace(text, root string) []call {
	var calls []call
	pending := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := begun.FindStringSubmatch(line); m != nil {
			pending[m[1]] = m[2]
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + pending[m[1]] + m[2]
		}
		m := tracedCall.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		open := m[1] == "open" || m[1] == "openat"
		calls = append(calls, call{
			line: line, path: m[2], file: strings.TrimPrefix(m[5], root), failed: m[4] == "-1",
			writes: !open || strings.Contains(m[3], "O_WRONLY") || strings.Contains(m[3], "O_RDWR") || strings.Contains(m[3], "O_CREAT"),
		})
	}
	return calls
}
