package testenv

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Running is a container that was started; it is removed when the test ends.
type Running struct {
	ID      string
	podman  *Containers
	layer   string              // directory of the writable layer
	podmans map[string]fileMark // what podman itself puts there
}

// Exec runs a command in the container, as the container's user.
func (r *Running) Exec(args ...string) Result {
	r.podman.t.Helper()
	result := r.podman.podman(r.podman.t.Context(), "", append([]string{"exec", r.ID}, args...)...)
	if result.Code == 125 {
		r.podman.t.Fatalf("podman exec %s: %s", strings.Join(args, " "), result.Stderr)
	}
	return result
}

// Logs returns what the container wrote so far; Code is not its exit code.
func (r *Running) Logs() Result {
	r.podman.t.Helper()
	return r.podman.must(r.podman.t.Context(), "logs", r.ID)
}

// AwaitLog waits until the container has written text, to either stream. If it ends without, or does not
// write it in a minute, the test fails with what it wrote.
func (r *Running) AwaitLog(text string) {
	r.podman.t.Helper()
	for range 300 {
		running := r.inspect("{{.State.Running}}") == "true" // asked first: what an ended container wrote is complete
		logs := r.Logs()
		if strings.Contains(logs.Stdout+logs.Stderr, text) {
			return
		}
		if !running {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	logs := r.Logs()
	r.podman.t.Fatalf("the container did not write %q (running: %s, exit code %s)\nstdout:\n%s\nstderr:\n%s",
		text, r.inspect("{{.State.Running}}"), r.inspect("{{.State.ExitCode}}"), logs.Stdout, logs.Stderr)
}

// Signal sends a signal ("TERM", "INT") to the container's first process.
func (r *Running) Signal(name string) {
	r.podman.t.Helper()
	r.podman.must(r.podman.t.Context(), "kill", "--signal", name, r.ID)
}

// Wait waits for the container's end and returns its exit code.
func (r *Running) Wait() int {
	r.podman.t.Helper()
	code := strings.TrimSpace(r.podman.must(r.podman.t.Context(), "wait", r.ID).Stdout)
	n, err := strconv.Atoi(code)
	if err != nil {
		r.podman.t.Fatalf("podman wait: %q is not an exit code", code)
	}
	return n
}

// Stop ends the container by its stop signal, after ten seconds by KILL, and returns its exit code (137 after KILL).
func (r *Running) Stop() int {
	r.podman.t.Helper()
	r.podman.must(r.podman.t.Context(), "stop", "-t", "10", r.ID)
	return r.Wait()
}

func (r *Running) inspect(format string) string {
	r.podman.t.Helper()
	return strings.TrimSpace(r.podman.must(r.podman.t.Context(), "inspect", "--format", format, r.ID).Stdout)
}

// Port returns a TCP port of 127.0.0.1 that is free now, for a server with HostNetwork.
func Port(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
