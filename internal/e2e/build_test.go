package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pexko/pexko/internal/cli"
	"github.com/pexko/pexko/internal/testenv"
)

const (
	amd64 = "linux/amd64"
	arm64 = "linux/arm64"
)

// order is what is built.
type order struct {
	dir       string // of the project
	base      string // a base of the testbed
	platforms []string
	flags     []string // further flags of `pexko build`
	env       []string // added to this process's
}

// built is an image in podman's storage.
type built struct {
	ref string            // as `pexko build` printed it; the registry forgets it when the test ends that built it
	ids map[string]string // by platform
}

// build has the command line build an order and push it to a registry, from where podman pulls it.
func build(t *testing.T, o order) *built {
	t.Helper()
	podman := testenv.Podman(t)
	repo := testenv.Registry(t) + "/" + strings.ToLower(filepath.Base(o.dir))
	args := []string{"--base", testenv.BaseRef(t, o.base), "--platform", strings.Join(o.platforms, ","), "--push", repo}
	b := &built{ref: run(t, o.env, append(append(args, o.flags...), o.dir)...), ids: map[string]string{}}
	for _, platform := range o.platforms {
		b.ids[platform] = podman.Pull(b.ref, platform)
	}
	return b
}

// run is `pexko build` with a cache that the tests share; it returns what it printed.
func run(t *testing.T, env []string, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	args = append([]string{"build", "--cache-dir", cacheDir(t)}, args...)
	code := cli.Main(t.Context(), args, append(os.Environ(), env...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &log})
	if code != 0 {
		t.Fatalf("pexko %s: exit code %d\n%s", strings.Join(args, " "), code, log.String())
	}
	t.Logf("pexko %s\n%s", strings.Join(args, " "), log.String())
	return strings.TrimSpace(out.String())
}

// cacheDir is where builds of these tests keep what they can use again, from run to run. Layers are not kept: a test
// must see what today's code makes of a wheel, not what yesterday's made of it.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(os.Getenv("PEXKO_TESTBED"), "e2e-cache")
	forgetLayers.Do(func() {
		if err := os.RemoveAll(filepath.Join(dir, "records", "layer")); err != nil {
			t.Fatal(err)
		}
	})
	return dir
}

var forgetLayers sync.Once

// example is one of the examples on a base.
type example struct{ name, base string }

// examples is what the tests build of them, each once.
var examples sync.Map // example -> *shelf

type shelf struct {
	once  sync.Once
	image *built
}

// image builds an example, or returns what another test built.
func (e example) image(t *testing.T) *built {
	t.Helper()
	testenv.Podman(t) // fails, or is skipped, where there is no testbed
	s, _ := examples.LoadOrStore(e, &shelf{})
	shared := s.(*shelf)
	shared.once.Do(func() {
		shared.image = build(t, order{dir: filepath.Join("../../examples", e.name), base: e.base, platforms: e.platforms()})
	})
	if shared.image == nil {
		t.Fatalf("example %s on %s was not built, see the test that tried", e.name, e.base)
	}
	return shared.image
}

// platforms are those of the base.
func (e example) platforms() []string {
	if e.base == "local" {
		return []string{amd64}
	}
	return []string{amd64, arm64}
}
