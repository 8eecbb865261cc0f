package testenv_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

func TestContainersRunEveryBase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ base, platform, want string }{
		{"bookworm", "linux/amd64", "3.11.2 x86_64\n"},
		{"bookworm", "linux/arm64", "3.11.2 aarch64\n"},
		{"trixie", "linux/amd64", "3.13.5 x86_64\n"},
		{"trixie", "linux/arm64", "3.13.5 aarch64\n"},
		{"local", "linux/amd64", "3.12."},
	} {
		t.Run(test.base+"/"+test.platform, func(t *testing.T) {
			t.Parallel()
			if test.platform == "linux/arm64" {
				testenv.NeedArm64(t)
			}
			podman := testenv.Podman(t)
			image := podman.Pull("oci:"+testenv.Base(t, test.base)+":1", test.platform)
			if other := podman.Pull(testenv.BaseRef(t, test.base), test.platform); other != image {
				t.Errorf("the registry's image is %s, the layout's %s", other, image)
			}
			const ask = `import platform, ssl, sqlite3, ctypes; print(platform.python_version(), platform.machine())`
			got := podman.Run(testenv.Container{Image: image, Args: []string{"python3", "-c", ask}})
			if got.Code != 0 || !strings.HasPrefix(got.Stdout, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
		})
	}
}

func TestRunPassesOptions(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	image := podman.Pull(testenv.BaseRef(t, "bookworm"), "")
	python := func(o testenv.Container, code string) testenv.Result {
		o.Image, o.Args = image, []string{"python3", "-c", code}
		return podman.Run(o)
	}
	for name, test := range map[string]struct {
		got  testenv.Result
		want testenv.Result
	}{
		"user":       {python(testenv.Container{User: "12345:0"}, "import os; print(os.getuid(), os.getgid())"), testenv.Result{Stdout: "12345 0\n"}},
		"environ":    {python(testenv.Container{Env: []string{"A=b c"}}, "import os; print(os.environ['A'])"), testenv.Result{Stdout: "b c\n"}},
		"workdir":    {python(testenv.Container{Workdir: "/usr"}, "import os; print(os.getcwd())"), testenv.Result{Stdout: "/usr\n"}},
		"stdin":      {python(testenv.Container{Stdin: "hello"}, "print(input())"), testenv.Result{Stdout: "hello\n"}},
		"exit code":  {python(testenv.Container{}, "import sys; sys.stderr.write('oh'); sys.exit(7)"), testenv.Result{Stderr: "oh", Code: 7}},
		"no network": {python(testenv.Container{}, "import os; print(os.listdir('/sys/class/net'))"), testenv.Result{Stdout: "['lo']\n"}},
		"no passwd":  {python(testenv.Container{User: "12345"}, "print(any(':12345:' in l for l in open('/etc/passwd')))"), testenv.Result{Stdout: "False\n"}},
		"read-only": {python(testenv.Container{ReadOnly: true}, `import os
for d in "/tmp", "/run", "/var/tmp", "/root":
    try: open(d + "/x", "w")
    except OSError as e: print(e.errno)`), testenv.Result{Stdout: "30\n30\n30\n30\n"}},
		"entry point": {podman.Run(testenv.Container{Image: image, Entrypoint: []string{"/bin/echo", "a b"}, Args: []string{"c"}}), testenv.Result{Stdout: "a b c\n"}},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, test.got, test.want)
		}
	}
	if got := podman.Run(testenv.Container{Image: image, Args: []string{"no-such-command"}}); got.Code != 127 {
		t.Errorf("a command that is not there: %+v", got)
	}
}

func TestDiffListsWhatTheProcessWrote(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	image := podman.Pull(testenv.BaseRef(t, "bookworm"), "")
	shell := func(script string) []string {
		_, changes := podman.RunDiff(testenv.Container{Image: image, Args: []string{"sh", "-c", script}})
		var list []string
		for _, c := range changes {
			list = append(list, fmt.Sprint(c.Path, " ", c.Deleted))
		}
		return list
	}
	for script, want := range map[string][]string{
		"cat /etc/passwd":                   nil,
		"echo x >/tmp/a":                    {"/tmp/a false"},
		"touch /tmp":                        {"/tmp false"},
		"rm /etc/issue":                     {"/etc/issue true"},
		"rm -r /opt":                        {"/opt true"},
		"mkdir -p /opt/d/e; rmdir /opt/d/e": {"/opt/d false"},
		"cat /etc/issue >/dev/shm/i; cat /dev/shm/i >/etc/issue": {"/etc/issue false"},
	} {
		if got := shell(script); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
	result, changes := podman.RunDiff(testenv.Container{Image: image, ReadOnly: true, Stdin: "in", Args: []string{"sh", "-c", "cat; echo x >/tmp/a"}})
	if len(changes) != 0 || result.Stdout != "in" || result.Code == 0 {
		t.Errorf("read-only: %+v %v", result, changes)
	}
}

const server = `import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open("/tmp/asked", "w").close(); self.send_response(200); self.end_headers(); self.wfile.write(b"hello")
s = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H)
print("ready", flush=True)
s.serve_forever()`

func TestServersRunDetached(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	image := podman.Pull(testenv.BaseRef(t, "bookworm"), "")

	inside := podman.Start(testenv.Container{Image: image, User: "12345:0", Args: []string{"python3", "-c", server, "80"}, Options: []string{"--sysctl", "net.ipv4.ip_unprivileged_port_start=0"}})
	inside.AwaitLog("ready")
	got := inside.Exec("python3", "-c", "import os, urllib.request as u; print(os.getuid(), u.urlopen('http://127.0.0.1:80').read())")
	if got.Stdout != "12345 b'hello'\n" {
		t.Errorf("exec: %+v", got)
	}
	if diff := inside.Diff(); !slices.Contains(diff, testenv.Change{Path: "/tmp/asked"}) {
		t.Errorf("diff: %v", diff)
	}
	if code := inside.Stop(); code != 3 {
		t.Errorf("stop: exit code %d", code)
	}

	port := testenv.Port(t)
	outside := podman.Start(testenv.Container{Image: image, HostNetwork: true, Args: []string{"python3", "-c", server, fmt.Sprint(port)}})
	outside.AwaitLog("ready")
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	outside.Signal("TERM")
	if code := outside.Wait(); code != 3 {
		t.Errorf("signal: exit code %d", code)
	}
	if logs := outside.Logs(); logs.Stdout != "ready\n" || !strings.Contains(logs.Stderr, "GET /") {
		t.Errorf("logs: %+v", logs)
	}
}
