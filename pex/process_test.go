package pex

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(t *testing.T, r *runner, ctx context.Context, script string) ([]byte, error) {
	t.Helper()
	return r.run(ctx, command{what: "sh", argv: []string{"/bin/sh", "-c", script}, env: environment{"PATH=/usr/bin:/bin"}, dir: t.TempDir(), answer: true})
}

func newRunner(texts ...string) *runner {
	r := &runner{}
	r.learn(newRedactor(nil, texts...))
	return r
}

func TestAProcessThatFailsShowsItsEnd(t *testing.T) {
	t.Parallel()
	_, err := shell(t, newRunner(), t.Context(), `for i in $(seq 200); do echo "line $i" >&2; done; exit 3`)
	var failed *ProcessError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if len(failed.Output) != tailLines || failed.Output[tailLines-1] != "line 200" || failed.Status != "exit status 3" {
		t.Errorf("status %q, %d lines, the last %q", failed.Status, len(failed.Output), failed.Output[len(failed.Output)-1])
	}
}

func TestAnswersAndOutputAreKeptApart(t *testing.T) {
	t.Parallel()
	var lines []string
	r := newRunner()
	r.line = func(l string) { lines = append(lines, l) }
	out, err := shell(t, r, t.Context(), `echo answer; printf 'a\rb\n\nno end' >&2`)
	if err != nil || string(out) != "answer\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if got := strings.Join(lines, "|"); got != "a|b|no end" {
		t.Errorf("lines %q", got)
	}
	if _, err := shell(t, r, t.Context(), `head -c 20000000 /dev/zero`); err == nil {
		t.Error("20 MB of answer were taken")
	}
}

// A tool's children must not outlive a cancelled build, also when they ignore the signal.
func TestCancellingEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the user pressed Ctrl-C")
	done := make(chan error)
	go func() {
		_, err := shell(t, newRunner(), ctx, `trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000 & echo $$ $(jobs -p) $! >`+pids+`; wait`)
		done <- err
	}()
	var text []byte
	for len(text) == 0 {
		time.Sleep(10 * time.Millisecond)
		text, _ = os.ReadFile(pids)
	}
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	for _, field := range strings.Fields(string(text)) {
		pid, _ := strconv.Atoi(field)
		for i := 0; syscall.Kill(pid, 0) == nil && !zombie(pid); i++ {
			if i == 300 {
				t.Fatalf("process %d of %s is still there", pid, text)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// zombie reports whether a process has ended and only waits to be asked how.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestCredentialsAreHidden(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	writeText(t, filepath.Join(home, ".netrc"), "machine files.example login me password netrc-secret\n")
	env := environment{"HOME=" + home, "PIP_INDEX_URL=https://user:p%40ss-word@index.example/simple", "HTTPS_PROXY=http://u:proxy-secret@proxy.example:3128"}
	r := newRedactor(env, "https://token-from-a-file@index.example/")
	for _, c := range []struct{ text, want string }{
		{"Looking in https://user:p%40ss-word@index.example/simple", "Looking in https://****@index.example/simple"},
		{"a raw @: https://user:p@ss-word@index.example/x@1", "a raw @: https://****@index.example/x@1"},
		{"git+ssh://git@github.example/x", "git+ssh://****@github.example/x"},
		{"decoded p@ss-word, alone", "decoded ****, alone"},
		{"netrc-secret and proxy-secret", "**** and ****"},
		{"index-url = https://token-from-a-file@index.example/", "index-url = https://****@index.example/"},
		{"nothing: name@https://index.example/, a@b", "nothing: name@https://index.example/, a@b"},
	} {
		if got := r.text(c.text); got != c.want {
			t.Errorf("%q became %q, want %q", c.text, got, c.want)
		}
	}
}

// The rest of an overlong line could be the second half of a URL whose first was cut off.
func TestOverlongLinesAreCutBetweenWords(t *testing.T) {
	t.Parallel()
	var lines []string
	r := newRunner()
	r.line = func(l string) { lines = append(lines, l) }
	long := strings.Repeat("x", longestLine-20)
	if _, err := shell(t, r, t.Context(), `echo "`+long+` https://user:secretsecretsecret@index.example/" >&2`); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || strings.Contains(lines[0], "secret") || !strings.HasSuffix(lines[0], "x (…)") {
		t.Errorf("got %d lines, ending %q", len(lines), lines[0][longestLine-40:])
	}
}

func TestEnvironmentOfTheTools(t *testing.T) {
	t.Parallel()
	got := cleanEnv([]string{
		"PATH=/bin:relative:/usr/bin", "PEX_ROOT=/x", "PEX_VERBOSE=9", "_PEX_USE_PIP_CONFIG=1", "PYTHONPATH=/evil", "PYTHONHASHSEED=random",
		"PIP_INDEX_URL=https://index.example", "HTTPS_PROXY=http://proxy.example", "SSL_CERT_FILE=/ca", "HOME=/home/me", "LC_ALL=de_DE", "LANG=C",
		"TZ=Asia/Tokyo", "SOURCE_DATE_EPOCH=1", "PYENV_VERSION=3.12.1", "CC=clang", "no equals sign", "PIP_PYTHON=/other",
	})
	for name, want := range map[string]string{
		"PEX_ROOT": "", "PEX_VERBOSE": "", "_PEX_USE_PIP_CONFIG": "", "PYTHONPATH": "", "PYTHONHASHSEED": "0", "LANG": "", "LC_ALL": "C",
		"PIP_INDEX_URL": "https://index.example", "HTTPS_PROXY": "http://proxy.example", "SSL_CERT_FILE": "/ca", "HOME": "/home/me",
		"TZ": "UTC", "SOURCE_DATE_EPOCH": "315532800", "PYENV_VERSION": "3.12.1", "CC": "clang", "PIP_PYTHON": "", "PIP_NO_INPUT": "1",
	} {
		if got.get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.get(name), want)
		}
	}
	if dirs := strings.Join(got.path(), ":"); dirs != "/bin:/usr/bin" {
		t.Errorf("PATH is searched as %s", dirs)
	}
}
