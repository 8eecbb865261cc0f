package pexko_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// spy is a host Python that writes down the arguments of each start, without the text of a program (-c).
func spy(t *testing.T, log string) string {
	t.Helper()
	name := filepath.Join(publicDir(t), "python3.11")
	script := "#!/bin/sh\n(if [ \"$1\" = -c ]; then shift 2; set -- -c \"$@\"; fi; echo \"$*\" >>'" + log + "')\nexec '" + testenv.Python(t, "3.11") + "' \"$@\"\n"
	check(t, os.WriteFile(name, []byte(script), 0o755))
	return name
}

// TestUnchangedBuildDoesNothingAgain builds and pushes twice. The second time nothing is resolved or built, no layer of
// the base is opened, nothing is compiled, and the registry is asked for the tags' manifests and nothing else.
func TestUnchangedBuildDoesNothingAgain(t *testing.T) {
	app := shop(t)
	index := app.serve(t)
	p := newProxy(t, os.Getenv("PEXKO_TESTBED_REGISTRY"))
	repository := strings.Replace(testenv.Registry(t), os.Getenv("PEXKO_TESTBED_REGISTRY"), p.host, 1) + "/shop"
	log := filepath.Join(publicDir(t), "python.log")
	r := run{
		args: []string{
			writeProject(t, publicDir(t), app.files), "--base=" + p.host + "/base/bookworm:1", "--platform=linux/amd64,linux/arm64",
			"--push=" + repository, "--tag=v1,v2", "--host-python=" + spy(t, log),
		},
		env:   []string{"HOME=" + publicDir(t), "PIP_INDEX_URL=" + index},
		cache: filepath.Join(publicDir(t), "cache"),
	}
	first := r.must(t)
	if len(p.matching("PUT", "/manifests/")) < 3 || len(p.matching("GET", "/base/bookworm/blobs/")) < 2 {
		t.Errorf("the first build asked %v", p.matching())
	}
	p.reset()
	disarm(t, r.cache, log)

	if second := r.must(t); second != first {
		t.Errorf("%s, then %s", first, second)
	}
	started := lines(t, log)
	for _, line := range started { // what it is, and a PEX for each platform
		if line != "-c" && !strings.Contains(line, "--pre-resolved-dists") {
			t.Errorf("started again: %s", line)
		}
	}
	if len(started) > 3 {
		t.Errorf("%d starts: %q", len(started), started)
	}
	for what, requests := range map[string][]string{
		"blobs of the base": p.matching("GET", "/base/bookworm/blobs/"), "uploads": p.matching("PATCH"), "puts": p.matching("PUT"),
		"blobs asked for": p.matching("/shop/blobs/sha256:"),
	} {
		if len(requests) > 0 {
			t.Errorf("%s: %v", what, requests)
		}
	}
	if got := p.matching("/shop/manifests/"); len(got) != 2 || slices.ContainsFunc(got, func(r string) bool { return !strings.HasPrefix(r, "HEAD ") }) {
		t.Errorf("manifests: %v", got)
	}
}

// disarm takes away what a second build must not need: the layers of the base, and the right to start its Python.
func disarm(t *testing.T, cache, log string) {
	t.Helper()
	check(t, os.Remove(log))
	loaders := 0
	check(t, filepath.WalkDir(filepath.Join(cache, "dirs", "base-python"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "ld-linux-") {
			loaders++
			return os.Chmod(path, 0o644)
		}
		return err
	}))
	if loaders == 0 {
		t.Error("no extracted interpreter")
	}
	blobs, err := filepath.Glob(filepath.Join(cache, "blobs", "sha256", "*"))
	check(t, err)
	removed := 0
	for _, blob := range blobs {
		if info, err := os.Stat(blob); err == nil && info.Size() > 10<<20 {
			removed++
			check(t, os.Remove(blob))
		}
	}
	if removed != 2 {
		t.Errorf("%d layers of the base in the cache, not one for each platform", removed)
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	check(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
