package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

// TestPexItselfFindsItsRootWarm boots the PEX that the image was made of, pex's own code and all, in the image: PEX_ROOT
// holds what that boot would have written.
func TestPexItselfFindsItsRootWarm(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	for _, name := range []string{"api", "django"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			pex := filepath.Join(dir, "app.pex")
			image := build(t, order{
				dir: filepath.Join("../../examples", name), base: "bookworm", platforms: []string{amd64}, flags: []string{"--pex", pex},
			})
			const where = "import sys; print(sys.prefix, sys.path[-1])"
			container := testenv.Container{
				Image: image.ids[amd64], User: "0", Env: []string{"PEX_INTERPRETER=1", "PEX_VERBOSE=9"}, Volumes: []string{dir + ":/x:ro"},
				Entrypoint: []string{"python", "/x/app.pex"}, Args: []string{"-c", where},
			}
			got, changes := podman.RunDiff(container)
			if got.Code != 0 || got.Stdout != "/pex/venv "+strings.TrimSuffix(site, "/")+"\n" {
				t.Errorf("%+v", got)
			}
			if len(changes) > 0 {
				t.Errorf("it wrote %v", changes)
			}
		})
	}
}

// TestPexRunsOnThePlainBase: what --pex writes needs no image.
func TestPexRunsOnThePlainBase(t *testing.T) {
	t.Parallel()
	podman := testenv.Podman(t)
	dir := t.TempDir()
	pex := filepath.Join(dir, "app.pex")
	out := run(t, nil, "--base", testenv.BaseRef(t, "bookworm"), "--pex", pex, "../../examples/hello")
	if out != pex {
		t.Errorf("pexko printed %q", out)
	}
	image := podman.Pull(testenv.BaseRef(t, "bookworm"), amd64)
	got := podman.Run(testenv.Container{Image: image, Volumes: []string{dir + ":/x:ro"}, Args: []string{"python3", "/x/app.pex", "Ada"}})
	if !slices.Equal(strings.Fields(got.Stdout)[:2], []string{"Hello,", "Ada!"}) {
		t.Errorf("%+v", got)
	}
}
