package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// engine puts a command of that name on an otherwise empty PATH. Engines that work are tested in TestLoadIntoPodman;
// this is for what they do not do on demand.
func engine(t *testing.T, script string, names ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestTheEngineIsChosen(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		path   []string
		named  string
		want   string
	}{
		"podman alone":            {"", []string{"podman"}, "", "podman"},
		"docker alone":            {"", []string{"docker"}, "", "docker"},
		"both":                    {"", []string{"docker", "podman"}, "", "docker"},
		"docker without a daemon": {"exit 1", []string{"docker", "podman"}, "", "podman"},
		"named":                   {"", []string{"docker", "nerdctl"}, "nerdctl", "nerdctl"},
		"none":                    {},
		"not there":               {"", []string{"docker"}, "nerdctl", ""},
	} {
		t.Run(name, func(t *testing.T) {
			engine(t, c.script, c.path...)
			got, err := findEngine(t.Context(), c.named)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v", got, err)
			}
			if err != nil && !strings.Contains(hint(err), "PEXKO_ENGINE") {
				t.Errorf("hint %q", hint(err))
			}
		})
	}
}

func TestAnEngineThatFailsHasTheWord(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"at once":        {"echo 'Cannot connect to the daemon' >&2; exit 1", "docker load: Cannot connect to the daemon"},
		"at the end":     {"while read -r x; do :; done; echo 'no space left' >&2; exit 125", "docker load: no space left"},
		"saying nothing": {"exit 3", "docker load: exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			engine(t, c.script, "docker")
			_, err := Load(t.Context(), "docker", tags(t, "a:1"), Artifact{Image: image(t, 1)})
			if err == nil || err.Error() != c.want {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

func TestALoadThatCannotGoOnIsKilled(t *testing.T) {
	engine(t, "while read -r x; do :; done; : > \"$0.kept\"", "docker")
	cause := errors.New("disk on fire")
	_, err := Load(t.Context(), "docker", nil, Artifact{Image: withBroken(t, cause)})
	if !errors.Is(err, cause) {
		t.Error(err)
	}
	if kept, _ := filepath.Glob(filepath.Join(os.Getenv("PATH"), "*.kept")); len(kept) > 0 {
		t.Error("the engine was let finish a broken image")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	engine(t, "read -r x; exec /bin/sleep 60", "docker")
	if _, err = Load(ctx, "docker", nil, Artifact{Image: image(t, 1)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLoadWantsThisMachinesPlatform(t *testing.T) {
	f := index(t, 1)
	_, err := Artifact{Index: f}.For(v1.Platform{OS: "linux", Architecture: "riscv64"})
	if err == nil || !strings.Contains(err.Error(), "no image for linux/riscv64 among those built (linux/amd64, linux/arm64)") {
		t.Error(err)
	}
}

func TestLoadedNames(t *testing.T) {
	for out, want := range map[string][]string{
		"Loaded image: localhost/app:latest\n":                     {"localhost/app:latest"},
		"abc: Loading layer\nLoaded image: a:1\nLoaded image: b:2": {"a:1", "b:2"},
		"Loaded image(s): a:1,b:2":                                 {"a:1", "b:2"},
		"Loaded image ID: sha256:abc":                              {"sha256:abc"},
		"":                                                         nil,
	} {
		if diff := cmp.Diff(want, loaded(out)); diff != "" {
			t.Errorf("%q: %s", out, diff)
		}
	}
}
