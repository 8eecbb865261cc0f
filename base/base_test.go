package base

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func TestPlatforms(t *testing.T) {
	image := func(p v1.Platform) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: newImage(t, p, nil, debian.tar(t)), Descriptor: v1.Descriptor{Platform: &p}}
	}
	v8 := v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	inner := mutate.AppendManifests(empty.Index, image(v8))
	index := mutate.AppendManifests(empty.Index, image(amd64), image(v1.Platform{OS: "unknown", Architecture: "unknown"}),
		mutate.IndexAddendum{Add: inner, Descriptor: v1.Descriptor{MediaType: types.OCIImageIndex}},
		mutate.IndexAddendum{Add: newImage(t, v1.Platform{}, nil)}, // an artifact
		mutate.IndexAddendum{Add: newImage(t, v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0"}, nil)})
	b, err := Open(t.Context(), "example.com/base:1", memoryPuller{index: index}, Options{Store: newStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	if got := platformNames(b.Platforms()); got != "linux/amd64, linux/arm64/v8, windows/amd64" {
		t.Error(got)
	}
	if got := platformNames(b.Supported()); got != "linux/amd64, linux/arm64/v8" {
		t.Error(got)
	}
	if i, err := b.find(arm64); err != nil || i.platform.Variant != "v8" {
		t.Error(i, err)
	}
	_, err = b.Variant(t.Context(), v1.Platform{OS: "linux", Architecture: "s390x"})
	var missing *PlatformError
	if !errors.As(err, &missing) || err.Error() != "example.com/base:1: no image for linux/s390x: it has linux/amd64, linux/arm64/v8, windows/amd64" {
		t.Error(err)
	}
	if _, err := b.Variant(t.Context(), v1.Platform{OS: "windows", Architecture: "amd64"}); err == nil || !strings.Contains(err.Error(), "does not build for windows/amd64") {
		t.Error(err)
	}
	// The image says amd64 in its config and the index arm64: the executable settles it.
	if _, err := b.Variant(t.Context(), arm64); err == nil || !strings.Contains(err.Error(), "made for EM_X86_64, not for aarch64") {
		t.Error(err)
	}
}

func TestEmptyIndex(t *testing.T) {
	b, err := Open(t.Context(), "x", memoryPuller{index: empty.Index}, Options{Store: newStore(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Variant(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "holds no images at all") {
		t.Error(err)
	}
}

func TestFullName(t *testing.T) {
	for ref, want := range map[string]string{
		"python":                           "docker.io/library/python:latest",
		"python:3.13-slim":                 "docker.io/library/python:3.13-slim",
		"index.docker.io/library/python:3": "docker.io/library/python:3",
		"docker://org/app":                 "docker.io/org/app:latest",
		"ghcr.io/org/app/base:1":           "ghcr.io/org/app/base:1",
		"localhost/base":                   "localhost/base:latest",
		"127.0.0.1:5000/base":              "127.0.0.1:5000/base:latest",
		"python:3.13@sha256:" + strings.Repeat("0", 64): "docker.io/library/python:3.13",
		"python@sha256:" + strings.Repeat("0", 64):      "docker.io/library/python@sha256:" + strings.Repeat("0", 64),
		"internal":             "docker.io/library/internal:latest", // a directory, but no layout
		"base.go":              "",
		"oci:dir:1":            "",
		"docker-archive:x.tar": "",
		"./x":                  "",
		"/x:1":                 "",
	} {
		if got := fullName(ref); got != want {
			t.Errorf("%s: got %q, want %q", ref, got, want)
		}
	}
}
