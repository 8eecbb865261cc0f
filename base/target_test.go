package base

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/internal/testenv"
)

// Tags of every machine, libc and Python that pexko knows equal packaging's.
func TestTagsEqualPackagings(t *testing.T) {
	type request struct {
		Arch   string `json:"arch"`
		Kind   string `json:"kind"`
		Major  int    `json:"major"`
		Minor  int    `json:"minor"`
		Python int    `json:"python"`
	}
	var requests []request
	var want [][]string
	for _, m := range machines {
		for _, l := range []Libc{{Kind: Glibc, Version: "2.4"}, {Kind: Glibc, Version: "2.17"}, {Kind: Glibc, Version: "2.41"}, {Kind: Musl, Version: "1.2.5"}} {
			for minor := oldestMinor; minor <= newestMinor; minor += 3 {
				major, libcMinor := l.release()
				requests = append(requests, request{m.uname, l.Kind, major, libcMinor, minor})
				var got []string
				for _, tag := range tags(Python{Version: fmt.Sprintf("3.%d.1", minor)}, platformTags(m, l)) {
					got = append(got, tag.String())
				}
				want = append(want, got)
			}
		}
	}
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testenv.Python(t, "3.11"), "testdata/tags.py")
	cmd.Env, cmd.Stdin = []string{"PYTHONPATH=" + pexSources(t)}, bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Tags     [][]string
		Versions []string
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		if diff := cmp.Diff(said.Tags[i], want[i]); diff != "" {
			t.Errorf("%+v:\n%s", r, diff)
		}
	}
	var versions []string
	for _, v := range []string{"3.14.0a2", "3.14.0b1", "3.14.0rc3", "3.14.0"} {
		versions = append(versions, markers(machines[0], Python{Version: v})["implementation_version"])
	}
	if diff := cmp.Diff(said.Versions, versions); diff != "" {
		t.Error(diff)
	}
}

func TestMarkersOfAPrerelease(t *testing.T) {
	got := markers(machines[1], Python{Version: "3.14.0rc1", Local: true})
	want := map[string]string{
		"implementation_name": "cpython", "implementation_version": "3.14.0c1", "os_name": "posix", "platform_machine": "aarch64",
		"platform_python_implementation": "CPython", "platform_system": "Linux", "python_full_version": "3.14.0rc1+", "python_version": "3.14",
		"sys_platform": "linux",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTargetKey(t *testing.T) {
	target := func(python, libc string, m machine) Target {
		return newTarget(amd64, m, Python{Version: python}, Libc{Kind: Glibc, Version: libc})
	}
	a := target("3.11.2", "2.36", machines[0])
	if a.Key() != target("3.11.2", "2.36", machines[0]).Key() {
		t.Error("the key of a target is not always the same")
	}
	keys := []string{a.Key(), target("3.11.3", "2.36", machines[0]).Key(), target("3.11.2", "2.37", machines[0]).Key(), target("3.11.2", "2.36", machines[1]).Key()}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 4 {
		t.Errorf("different targets share a key: %q", keys)
	}
}

func TestNormalPlatforms(t *testing.T) {
	for in, want := range map[string]string{
		"linux/arm64": "linux/arm64", "linux/arm64/v8": "linux/arm64", "linux/arm": "linux/arm/v7", "linux/arm/7": "linux/arm/v7",
		"linux/amd64/v1": "linux/amd64", "linux/amd64/v3": "linux/amd64/v3", "linux/aarch64": "linux/arm64", "linux/x86_64": "linux/amd64",
		"linux/arm/v6": "linux/arm/v6", "Linux/AMD64": "linux/amd64",
	} {
		p, err := v1.ParsePlatform(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := normal(*p).String(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
