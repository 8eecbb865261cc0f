package testenv

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Containers runs images by podman and runc, as root, in storage of the testbed's own.
type Containers struct{ t testing.TB }

// Podman returns the driver of containers. What a test starts ends with the test.
func Podman(t testing.TB) *Containers {
	t.Helper()
	need(t, "CONTAINERS_STORAGE_CONF") // podman reads it itself; without it, it would use the machine's own storage
	return &Containers{t}
}

// Container says what to run. The zero value of a field is what podman does by default, except that
// there is no network (loopback alone), no passwd entry that the image has not, and that open files and
// processes are limited to 1024 each.
type Container struct {
	Image       string   // a reference, or the ID that Pull returned
	Platform    string   // "linux/arm64"; wanted only where Image is a reference
	User        string   // "65532", "12345:0"
	ReadOnly    bool     // a read-only root file system, and none of the tmpfs that podman would add
	Env         []string // "NAME=VALUE"
	Entrypoint  []string // instead of the image's; the image's command goes with it
	Args        []string // instead of the image's command
	Workdir     string
	Volumes     []string // "/host:/container:ro"
	Stdin       string
	HostNetwork bool     // a server is then reached at 127.0.0.1:PORT from the test; prefer Exec inside, without network
	Options     []string // further options of `podman run`
}

// Result is what a process left.
type Result struct {
	Stdout, Stderr string
	Code           int // 126: the command could not be invoked, 127: it was not found
}

// Pull brings an image into podman's storage and returns its ID. src is a registry reference or
// anything else that podman knows: "oci:DIR:TAG", "oci-archive:FILE", "docker-archive:FILE".
// platform ("linux/arm64") chooses from an index; empty means the host's.
func (c *Containers) Pull(src, platform string) string {
	c.t.Helper()
	args := []string{"pull", "-q", "--tls-verify=false"}
	if platform != "" {
		args = append(args, "--platform", platform)
	}
	src, done := c.nameable(src)
	defer done()
	id := strings.TrimSpace(c.must(c.t.Context(), append(args, src)...).Stdout)
	// A name of its own: who else has the same image under another name, and removes it by that, leaves it here.
	c.must(c.t.Context(), "tag", id, "localhost/pulled:"+id)
	return id
}

// nameable gives an OCI layout a path that podman can make a name of, until done: it takes capitals and ".cache" for errors.
func (c *Containers) nameable(src string) (named string, done func()) {
	c.t.Helper()
	path, ok := strings.CutPrefix(src, "oci:")
	if !ok {
		return src, func() {}
	}
	dir, tag, tagged := strings.Cut(path, ":")
	dir, err := filepath.Abs(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	link := "/tmp/pexko-layout-" + strings.ToLower(rand.Text()[:10])
	if err := os.Symlink(dir, link); err != nil {
		c.t.Fatal(err)
	}
	named = "oci:" + link
	if tagged {
		named += ":" + tag
	}
	return named, func() {
		c.podman(c.t.Context(), "", "untag", "localhost"+link+":latest", "localhost"+link+":latest") // without the second, podman would take every name of the image
		_ = os.Remove(link)
	}
}

// Run runs a container to its end, at most five minutes, and removes it.
func (c *Containers) Run(o Container) Result {
	c.t.Helper()
	result := c.podman(c.t.Context(), o.Stdin, append([]string{"run", "--rm", "-i", "--timeout=300", "--passwd=false"}, o.args(c.t)...)...)
	if result.Code == 125 {
		c.t.Fatalf("podman could not run %s: %s", o.Image, result.Stderr)
	}
	return result
}

// RunDiff is Run, and tells what the container wrote; see Running.Diff.
func (c *Containers) RunDiff(o Container) (Result, []Change) {
	c.t.Helper()
	r, result := c.start(o, "-i")
	return result, r.Diff()
}

// Start starts a container and returns while it runs. It ends after five minutes at the latest.
func (c *Containers) Start(o Container) *Running {
	c.t.Helper()
	r, _ := c.start(o, "-d")
	return r
}

// start is `podman run`, attached ("-i") or detached ("-d"), without --rm.
func (c *Containers) start(o Container, how string) (*Running, Result) {
	c.t.Helper()
	podmans := c.podmansOwn(o)
	file := filepath.Join(c.t.TempDir(), "id")
	result := c.podman(c.t.Context(), o.Stdin, append([]string{"run", how, "--timeout=300", "--cidfile", file, "--passwd=false"}, o.args(c.t)...)...)
	id, err := os.ReadFile(file)
	if err != nil || result.Code == 125 {
		c.t.Fatalf("podman could not start %s: %s", o.Image, result.Stderr)
	}
	r := &Running{ID: string(id), podman: c}
	c.t.Cleanup(func() { c.remove(r.ID) })
	r.layer, r.podmans = c.writableLayer(r.ID), podmans
	return r, result
}

// remove takes a container away, running or not.
func (c *Containers) remove(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own context may be done by now
	defer cancel()
	c.podman(ctx, "", "rm", "-f", "-t", "0", id)
}

// args are the options, image and arguments for `podman run` and `podman create`.
func (o Container) args(t testing.TB) []string {
	t.Helper()
	args := []string{"--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--tls-verify=false"}
	flag := func(set bool, values ...string) {
		if set {
			args = append(args, values...)
		}
	}
	flag(!o.HostNetwork, "--network=none")
	flag(o.HostNetwork, "--network=host")
	flag(o.ReadOnly, "--read-only", "--read-only-tmpfs=false")
	flag(o.Platform != "", "--platform", o.Platform)
	flag(o.User != "", "--user", o.User)
	flag(o.Workdir != "", "--workdir", o.Workdir)
	for _, e := range o.Env {
		args = append(args, "--env", e)
	}
	for _, v := range o.Volumes {
		args = append(args, "--volume", v)
	}
	if o.Entrypoint != nil {
		exec, err := json.Marshal(o.Entrypoint) // podman takes a list as JSON
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--entrypoint", string(exec))
	}
	args = append(append(args, o.Options...), o.Image)
	return append(args, o.Args...)
}

// podman runs the podman command.
func (c *Containers) podman(ctx context.Context, stdin string, args ...string) Result {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "podman", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("podman: %v; %s", err, howUp)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must is podman where a failure is the machine's and not the container's.
func (c *Containers) must(ctx context.Context, args ...string) Result {
	c.t.Helper()
	result := c.podman(ctx, "", args...)
	if result.Code != 0 {
		c.t.Fatalf("podman %s: %s", strings.Join(args, " "), result.Stderr)
	}
	return result
}
