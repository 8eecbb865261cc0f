package action

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// An expression in a script is replaced before bash reads it: whoever may choose the input could write a command there.
func TestInputsReachNoScript(t *testing.T) {
	r := newRunner(t)
	steps := r.action.get("runs", "steps").list
	if len(steps) == 0 || r.action.get("runs", "using").text != "composite" {
		t.Fatalf("no steps in %v", r.action.get("runs"))
	}
	for _, step := range steps {
		if script := step.get("run").text; script == "" || strings.Contains(script, "${{") {
			t.Errorf("step %q: %q", step.get("name").text, script)
		}
	}
	for _, name := range r.action.get("inputs").keys {
		if r.action.get("inputs", name, "description").text == "" {
			t.Errorf("the input %s is not described", name)
		}
	}
}

var byDigest = regexp.MustCompile(`^127\.0\.0\.1:\d+/\S+@(sha256:[0-9a-f]{64})$`)

func TestPush(t *testing.T) {
	r := newRunner(t)
	repo := testenv.Registry(t) + "/shop"
	o := r.run(map[string]string{
		"path": "app", "push": repo, "tags": "v1, v2\nlatest", "base": "oci:" + testenv.Base(t, "bookworm"), "platform": "linux/amd64,linux/arm64",
		"args": "--bytecode none --label 'org.example.title=a shop' --env \"QUOTE=it's\"\n--env=PATHS=$HOME/*:~",
	})
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.log)
	}
	m := byDigest.FindStringSubmatch(o.outputs["image"])
	if m == nil || o.outputs["digest"] != m[1] || !strings.HasPrefix(o.outputs["image"], repo+"@") {
		t.Errorf("outputs %q", o.outputs)
	}
	if !strings.Contains(o.summary, "`"+o.outputs["image"]+"`") {
		t.Errorf("summary %q", o.summary)
	}
	for _, tag := range []string{"v1", "v2", "latest"} {
		if got := digestOf(t, repo, tag); got != o.outputs["digest"] {
			t.Errorf("%s is %s, not %s", tag, got, o.outputs["digest"])
		}
	}
	config, err := exec.CommandContext(t.Context(), "skopeo", "inspect", "--config", "--raw", "--tls-verify=false", "--override-arch=amd64", "docker://"+o.outputs["image"]).Output()
	check(t, err)
	for _, want := range []string{`"org.example.title":"a shop"`, `"QUOTE=it's"`, `"PATHS=$HOME/*:~"`} {
		if !strings.Contains(string(config), want) {
			t.Errorf("no %s in %s", want, config)
		}
	}
}

// digestOf asks the registry what a tag names.
func digestOf(t *testing.T, repo, tag string) string {
	t.Helper()
	host, name, _ := strings.Cut(repo, "/")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, "http://"+host+"/v2/"+name+"/manifests/"+tag, nil)
	check(t, err)
	request.Header.Set("Accept", "application/vnd.oci.image.index.v1+json")
	resp, err := http.DefaultClient.Do(request)
	check(t, err)
	resp.Body.Close()
	return resp.Header.Get("Docker-Content-Digest")
}

func TestWithoutPush(t *testing.T) {
	r := newRunner(t)
	o := r.run(map[string]string{"path": "app", "base": "oci:" + testenv.Base(t, "bookworm"), "args": "--bytecode=none --oci-archive out.tar"})
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.log)
	}
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(o.outputs["digest"]) {
		t.Errorf("outputs %q", o.outputs)
	}
	if _, err := os.Stat(filepath.Join(r.workspace, "out.tar")); err != nil {
		t.Error(err)
	}
}

// Nothing that stands in an input is run, or expanded: the command gets it as it is. Here the command is one that writes
// down what it gets.
func TestHostileInputs(t *testing.T) {
	r := newRunner(t)
	r.only = "build"
	got := filepath.Join(t.TempDir(), "arguments")
	program := "#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done >'" + got + "'\necho registry.example/app@sha256:0\n"
	check(t, os.WriteFile(filepath.Join(r.temp, "pexko"), []byte(program), 0o755))
	for _, hostile := range []string{
		"$(touch pwned)", "`touch pwned`", "\"; touch pwned; \"", "'; touch pwned; '", "x\ntouch pwned", "$(touch pwned)\n--help", "*", "-", "--", "a  b", "~", "$HOME", "\\", "!!",
	} {
		want := map[string]string{
			"path": hostile, "push": "--push\x00" + hostile, "platform": "--platform\x00" + hostile, "base": "--base\x00" + hostile,
			"tags": "--tag\x00" + strings.Join(strings.Fields(hostile), "\x00--tag\x00"),
		}
		for input, arguments := range want {
			r.run(map[string]string{"push": "registry.example/app", input: hostile})
			text, err := os.ReadFile(got)
			check(t, err)
			if !strings.Contains("\x00"+string(text), "\x00"+arguments+"\x00") {
				t.Errorf("%s %q gives %q", input, hostile, text)
			}
		}
	}
	if left, err := os.ReadDir(r.workspace); err != nil || len(left) != 1 {
		t.Errorf("the inputs made files: %v %v", left, err)
	}
}

func TestArgs(t *testing.T) {
	r := newRunner(t)
	r.only = "build"
	got := filepath.Join(t.TempDir(), "arguments")
	check(t, os.WriteFile(filepath.Join(r.temp, "pexko"), []byte("#!/bin/sh\nprintf '%s|' \"$@\" >'"+got+"'\necho sha256:0\n"), 0o755))
	for args, want := range map[string]string{
		"":                               "build|--|.|",
		" \n ":                           "build|--|.|",
		"--load":                         "build|--load|--|.|",
		"--env A=1\n--env 'B=2 3'\n":     "build|--env|A=1|--env|B=2 3|--|.|",
		"--env \"C=it's\"":               "build|--env|C=it's|--|.|",
		"--env 'D=$(touch pwned)'":       "build|--env|D=$(touch pwned)|--|.|",
		"--env=E=$HOME/* --env=F=`id` ;": "build|--env=E=$HOME/*|--env=F=`id`|;|--|.|",
		"-e ''":                          "build|-e||--|.|",
	} {
		if o := r.run(map[string]string{"args": args}); o.err != nil {
			t.Errorf("%q: %v\n%s", args, o.err, o.log)
		}
		text, err := os.ReadFile(got)
		check(t, err)
		if string(text) != want {
			t.Errorf("%q gives %s, not %s", args, text, want)
		}
	}
	if o := r.run(map[string]string{"args": "--env 'open"}); o.err == nil || o.outputs["image"] != "" {
		t.Errorf("a quote that does not end: %v %v\n%s", o.err, o.outputs, o.log)
	}
}

// docker/login-action leaves its password in docker's configuration.
func TestLogin(t *testing.T) {
	r := newRunner(t)
	auth := testenv.AuthRegistry(t)
	inputs := map[string]string{"path": "app", "push": auth.Prefix + "/shop", "base": "oci:" + testenv.Base(t, "bookworm"), "args": "--bytecode=none"}
	if o := r.run(inputs); o.err == nil || !strings.Contains(o.log, "(401)") || len(o.outputs["image"]) > 0 {
		t.Errorf("without a login: %v, %q\n%s", o.err, o.outputs, o.log)
	}
	r.env = append(r.env, "DOCKER_CONFIG="+auth.DockerConfig(t))
	o := r.run(inputs)
	if o.err != nil || byDigest.FindStringSubmatch(o.outputs["image"]) == nil {
		t.Errorf("%v, %q\n%s", o.err, o.outputs, o.log)
	}
	if strings.Contains(o.log, auth.User+":"+auth.Password) {
		t.Errorf("the password is shown:\n%s", o.log)
	}
}
