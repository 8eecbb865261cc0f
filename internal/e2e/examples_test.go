package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// users are who an image is started by: the image's own user, root, and one that is made up, in root's group, as
// OpenShift does.
var users = []string{"", "0", "12345:0"}

// matrix is which example runs on which base, on each of the base's platforms. python is the version of the base's.
var matrix = []struct {
	example
	python string
	check  func(*testing.T, *testenv.Containers, testenv.Container, string)
}{
	{example{"hello", "bookworm"}, "3.11.2", helloGreets},
	{example{"hello", "trixie"}, "3.13.5", helloGreets},
	{example{"api", "bookworm"}, "3.11.2", apiAnswers},
	{example{"api", "trixie"}, "3.13.5", apiAnswers},
	{example{"api", "local"}, "3.12.", apiAnswers},
	{example{"data", "bookworm"}, "3.11.2", dataPrints},
	{example{"django", "bookworm"}, "3.11.2", djangoServes},
}

// TestExamplesRunAsAnyUser starts every example on a read-only file system without network.
func TestExamplesRunAsAnyUser(t *testing.T) {
	t.Parallel()
	for _, test := range matrix {
		t.Run(test.name+"/"+test.base, func(t *testing.T) {
			t.Parallel()
			image := test.image(t)
			for _, platform := range test.platforms() {
				for _, user := range test.users(platform) {
					t.Run(strings.TrimPrefix(platform, "linux/")+"/"+userName(user), func(t *testing.T) {
						t.Parallel()
						if platform == arm64 {
							testenv.NeedArm64(t) // TestProgramsAreOfTheirPlatform checks the image without running it
						}
						o := testenv.Container{Image: image.ids[platform], User: user, ReadOnly: true, Env: emulation(platform), Options: shm}
						test.check(t, testenv.Podman(t), o, test.python)
					})
				}
			}
		})
	}
}

// users start an example: each on bookworm; of the other bases' arm64 images, which qemu makes slow, one.
func (e example) users(platform string) []string {
	if platform == arm64 && e.base != "bookworm" {
		return users[2:]
	}
	return users
}

// shm is the memory that every engine gives to a container, a read-only one too; podman's --read-only-tmpfs=false takes it away in later versions.
var shm = []string{"--tmpfs=/dev/shm"}

// emulation makes qemu emulate a processor without pointer authentication, which costs it more than all the rest.
func emulation(platform string) []string {
	if platform != arm64 {
		return nil
	}
	return []string{"QEMU_CPU=cortex-a72"}
}

func userName(user string) string {
	switch user {
	case "":
		return "default"
	case "0":
		return "root"
	}
	return "random"
}

func helloGreets(t *testing.T, podman *testenv.Containers, o testenv.Container, python string) {
	o.Args = []string{"Ada"}
	got := podman.Run(o)
	if got.Code != 0 || !strings.HasPrefix(got.Stdout, "Hello, Ada!\nPython "+python) || !strings.HasSuffix(got.Stdout, ", as nonroot\n") {
		t.Errorf("%+v", got)
	}
}

func dataPrints(t *testing.T, podman *testenv.Containers, o testenv.Container, _ string) {
	got := podman.Run(o)
	if got.Code != 0 || !strings.Contains(got.Stdout, "harbour     14  10.84  8.2  13.7   0.15\n") {
		t.Errorf("%+v", got)
	}
}

func apiAnswers(t *testing.T, podman *testenv.Containers, o testenv.Container, python string) {
	c := podman.Start(o)
	c.AwaitLog("Uvicorn running on")
	serves(t, c, map[string]string{
		"/":                             `"python":"` + python,
		"/health":                       `200 {"status":"ok"}`,
		"/quotations?author=Heraclitus": `"text":"Everything flows."`,
		"/quotations/99":                `404 {"detail":"there is no quotation 99"}`,
	})
	stops(t, c, "Application shutdown complete.")
}

func djangoServes(t *testing.T, podman *testenv.Containers, o testenv.Container, python string) {
	c := podman.Start(o)
	c.AwaitLog("Booting worker with pid")
	serves(t, c, map[string]string{
		"/":                       "<dd>" + python + "</dd>",
		"/health":                 `200 {"database": true}`,
		"/static/mysite/site.css": "200 body { font-family: sans-serif;",
		"/static/none.css":        "404 ",
	})
	stops(t, c, "Shutting down: Master")
}

// ask is a client that waits for its server, which says that it is ready before it listens.
const ask = `import json, sys, time, urllib.error, urllib.request
def ask(path):
    for attempt in range(100):
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000" + path) as answer:
                return f"{answer.status} {answer.read().decode()}"
        except urllib.error.HTTPError as answer:
            return f"{answer.code} {answer.read().decode()}"
        except urllib.error.URLError:
            time.sleep(0.2)
json.dump({path: ask(path) for path in sys.argv[1:]}, sys.stdout)
`

// serves asks the server in a container from inside, where alone it can be reached, for paths and what is to be in the answers.
func serves(t *testing.T, c *testenv.Running, want map[string]string) {
	t.Helper()
	got := c.Exec(append([]string{"python", "-c", ask}, slices.Sorted(maps.Keys(want))...)...)
	var answers map[string]string
	if err := json.Unmarshal([]byte(got.Stdout), &answers); err != nil {
		t.Fatalf("%+v", got)
	}
	for path, text := range want {
		if !strings.Contains(answers[path], text) {
			t.Errorf("%s: %s; want %s in it", path, answers[path], text)
		}
	}
}

// stops has a server end, and wants its farewell. uvicorn sends itself the signal again when it has cleaned up: as the first
// process of a container it survives that, and ends with 0; under qemu, which delivers the signal itself, with 143.
func stops(t *testing.T, c *testenv.Running, farewell string) {
	t.Helper()
	if code := c.Stop(); code != 0 && code != 143 {
		t.Errorf("after TERM: exit code %d", code)
	}
	logs := c.Logs()
	contains(t, "log", logs.Stdout+logs.Stderr, farewell)
}
