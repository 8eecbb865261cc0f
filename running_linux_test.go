package pexko_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a build may take to come to a moment, or a process to end. It is no claim about speed.
const patience = 5 * time.Minute

// running is a build that runs.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan struct{}

	mu    sync.Mutex
	lines []string
}

// start starts a build in a process group of its own, as a terminal would not: a signal meets pexko alone.
func start(t *testing.T, r run) *running {
	t.Helper()
	b := &running{t: t, cmd: r.command(t, t.Context()), ended: make(chan struct{})}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.Stdout = &b.stdout
	stderr, err := b.cmd.StderrPipe()
	check(t, err)
	check(t, b.cmd.Start())
	go func() {
		defer close(b.ended)
		for scan := bufio.NewScanner(stderr); scan.Scan(); {
			b.mu.Lock()
			b.lines = append(b.lines, scan.Text())
			b.mu.Unlock()
		}
		_ = b.cmd.Wait() // its exit code is looked at
	}()
	return b
}

// said tells whether a line of standard error begins with text.
func (b *running) said(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.lines, func(line string) bool { return strings.HasPrefix(line, text) })
}

func (b *running) log() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

// await returns when the build is at a moment. One that ends before fails the test.
func (b *running) await(arm func(func()), look func(*running) bool) {
	b.t.Helper()
	reached := make(chan struct{})
	var once sync.Once
	if arm != nil {
		arm(func() { once.Do(func() { close(reached) }) })
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		select {
		case <-reached:
			return
		case <-b.ended:
			b.t.Fatalf("the build ended before the moment came:\n%s", b.log())
		case <-late:
			_ = b.cmd.Process.Kill()
			b.t.Fatalf("the moment did not come:\n%s", b.log())
		case <-tick.C:
			if look != nil && look(b) {
				return
			}
		}
	}
}

// wait waits for the end and returns the exit code.
func (b *running) wait() int {
	b.t.Helper()
	select {
	case <-b.ended:
	case <-time.After(patience):
		_ = b.cmd.Process.Kill()
		b.t.Fatalf("it does not end:\n%s", b.log())
	}
	return b.cmd.ProcessState.ExitCode()
}

// process is one of this machine.
type process struct {
	id, parent int
	state      string
}

// processes reads /proc.
func processes() []process {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the only error is a bad pattern
	var all []process
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')'):]), " ") // the name before it may hold anything
		fields := strings.Fields(rest)
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, _ := strconv.Atoi(fields[1])
		all = append(all, process{id, parent, fields[0]})
	}
	return all
}

// descendants are the processes below the build.
func (b *running) descendants() []process {
	below := map[int]bool{b.cmd.Process.Pid: true}
	var found []process
	all := processes()
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if below[p.parent] && !below[p.id] {
				below[p.id], grown = true, true
				found = append(found, p)
			}
		}
	}
	return found
}

// runs tells whether the arguments of a process below the build hold a text.
func (b *running) runs(text string) bool {
	return slices.ContainsFunc(b.descendants(), func(p process) bool { return strings.Contains(p.command(), text) })
}

func (p process) command() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.id))
	if err != nil {
		return ""
	}
	return string(text)
}

// checkNoneLeft fails the test if a process of the build outlives it: it would be a child of this process now.
func (b *running) checkNoneLeft() {
	b.t.Helper()
	var left []process
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		left = slices.DeleteFunc(processes(), func(p process) bool { return p.parent != os.Getpid() })
		left = slices.DeleteFunc(left, func(p process) bool {
			if p.state != "Z" {
				return false
			}
			_, err := syscall.Wait4(p.id, nil, syscall.WNOHANG, nil) // dead, and ours to bury
			return err == nil
		})
		if len(left) == 0 {
			return
		}
	}
	for _, p := range left {
		b.t.Errorf("process %d is left: %.300q", p.id, p.command())
		_ = syscall.Kill(p.id, syscall.SIGKILL)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// anyFile tells whether the directory holds a name that begins so.
func anyFile(dir, prefix string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), prefix) })
}

// snapshot lists what is below a directory, with sizes, and times of files.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			fmt.Fprintln(&b, path)
			return err
		}
		fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	check(t, err)
	return b.String()
}
