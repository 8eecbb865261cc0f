package pex

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// tailLines and tailBytes bound what is kept of a process's output for its error.
	tailLines = 60
	tailBytes = 16 << 10
	// longestLine is the length in bytes from which the rest of a line is dropped.
	longestLine = 4 << 10
	// maxStdout bounds what a process may answer on stdout, in bytes; the answers are small JSON values.
	maxStdout = 16 << 20
)

// command is one process: what it is for, as its errors say it, and how it is run.
type command struct {
	what string
	argv []string // argv[0] is an absolute path
	env  environment
	dir  string
	// line is told each line of output, without credentials; nil for none.
	line func(string)
	// answer says that stdout is a value for us; else it is output like stderr.
	answer bool
}

// runner starts the processes of this package and counts them.
type runner struct {
	line    func(string) // for --verbose
	started atomic.Int64
	redact  atomic.Pointer[redactor]
}

// learn replaces what credentials are searched for; pip's configuration files are known only after Python
// was asked.
func (r *runner) learn(known redactor) { r.redact.Store(&known) }

// hide takes credentials out of a text.
func (r *runner) hide(text string) string { return r.redact.Load().text(text) }

// ProcessError is a process that ended badly. Its output is without credentials.
type ProcessError struct {
	What   string   // "pip download of the pinned pex"
	Status string   // "exit status 1", "signal: killed"
	Output []string // the last lines of stdout and stderr
}

// Error names the process, how it ended and what it said last.
func (e *ProcessError) Error() string {
	if len(e.Output) == 0 {
		return e.What + ": " + e.Status + ", without a word"
	}
	return e.What + ": " + e.Status + ":\n  " + strings.Join(e.Output, "\n  ")
}

// run starts c in a process group of its own, waits for it, and leaves nothing of the group behind. The
// error is a *ProcessError, or the context's.
func (r *runner) run(ctx context.Context, c command) (stdout []byte, err error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Env, cmd.Dir = c.env, c.dir
	out := &tail{hide: r.hide, hooks: []func(string){r.line, c.line}}
	var answer bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, out
	if c.answer {
		cmd.Stdout = &limited{&answer}
	}
	ownGroup(cmd)
	r.started.Add(1)
	err = cmd.Run()
	endGroup(cmd)
	out.flush()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", c.what, context.Cause(ctx))
	}
	if err != nil {
		return nil, &ProcessError{What: c.what, Status: status(err), Output: out.lines}
	}
	return answer.Bytes(), nil
}

func status(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ProcessState.String()
	}
	return err.Error()
}

// limited refuses more than maxStdout bytes.
type limited struct{ buffer *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.buffer.Len()+len(p) > maxStdout {
		return 0, fmt.Errorf("more than %d bytes of output", maxStdout)
	}
	return l.buffer.Write(p)
}

// tail takes the output of a process apart into lines, hides credentials, tells its hooks and keeps the end.
type tail struct {
	hide  func(string) string
	hooks []func(string)

	mu      sync.Mutex
	partial []byte
	lines   []string
	bytes   int
}

// Write is called by one goroutine, but the mutex also covers flush after a WaitDelay that gave up on it.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range p {
		switch {
		case b == '\n' || b == '\r':
			t.add(t.partial)
			t.partial = t.partial[:0]
		case len(t.partial) <= longestLine:
			t.partial = append(t.partial, b)
		}
	}
	return len(p), nil
}

func (t *tail) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(t.partial)
	t.partial = nil
}

func (t *tail) add(raw []byte) {
	if len(raw) > longestLine { // cut between words: half of a URL would hide its credentials from redact
		raw = append(raw[:bytes.LastIndexByte(raw, ' ')+1], "(…)"...)
	}
	line := string(raw)
	line = strings.TrimRight(t.hide(strings.ToValidUTF8(line, "\uFFFD")), " \t")
	if line == "" {
		return
	}
	for _, hook := range t.hooks {
		if hook != nil {
			hook(line)
		}
	}
	t.lines = append(t.lines, line)
	t.bytes += len(line)
	for len(t.lines) > tailLines || t.bytes > tailBytes && len(t.lines) > 1 {
		t.bytes -= len(t.lines[0])
		t.lines = t.lines[1:]
	}
}
