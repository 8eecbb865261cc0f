package testenv_test

import (
	"archive/tar"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/pexko/pexko/internal/testenv"
)

// Which base has the standard library's bytecode is part of what they are for, and it must be fresh:
// a pyc whose source has another time or size is never read.
func TestBasesHaveTheBytecodeTheySay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		base, arch, library string
		compiled            bool
	}{
		{"bookworm", "amd64", "usr/lib/python3.11/", true},
		{"bookworm", "arm64", "usr/lib/python3.11/", true},
		{"trixie", "amd64", "usr/lib/python3.13/", false},
		{"trixie", "arm64", "usr/lib/python3.13/", false},
		{"local", "amd64", "usr/local/lib/python3.12/", false},
		{"local", "amd64", "usr/lib/python3.11/", true},
	} {
		t.Run(test.base+"/"+test.arch+"/"+path.Base(test.library), func(t *testing.T) {
			sources, compiled := library(t, image(t, test.base, test.arch), test.library)
			if len(sources) < 400 {
				t.Errorf("only %d sources", len(sources))
			}
			if !test.compiled && len(compiled) != 0 {
				t.Errorf("%d compiled", len(compiled))
			}
			for source, mark := range sources {
				if pyc, ok := compiled[source]; test.compiled && pyc != mark {
					t.Errorf("%s: compiled: %t, of time and size %v; the source has %v", source, ok, pyc, mark)
				}
			}
		})
	}
}

func TestLocalStandsOnBookworm(t *testing.T) {
	t.Parallel()
	lower, err := image(t, "bookworm", "amd64").Layers()
	if err != nil {
		t.Fatal(err)
	}
	local := image(t, "local", "amd64")
	layers, err := local.Layers()
	if err != nil || len(layers) != 2 {
		t.Fatal(len(layers), err)
	}
	want, _ := lower[0].Digest()
	if got, _ := layers[0].Digest(); got != want {
		t.Errorf("local's first layer is %s, bookworm's %s", got, want)
	}
	config, err := local.ConfigFile()
	if err != nil || !strings.HasPrefix(config.Config.Env[0], "PATH=/usr/local/bin:") || !slices.ContainsFunc(config.Config.Env, func(e string) bool { return strings.HasPrefix(e, "PYTHON_VERSION=3.12.") }) {
		t.Errorf("%v %v", config.Config.Env, err)
	}
	each(t, local, func(h *tar.Header, _ io.Reader) {
		if h.Name == "etc/issue.net" {
			t.Error("the upper layer does not delete etc/issue.net")
		}
	})
}

func TestNopythonHasNone(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"amd64", "arm64"} {
		each(t, image(t, "nopython", arch), func(h *tar.Header, _ io.Reader) {
			if strings.Contains(h.Name, "python") {
				t.Error(h.Name)
			}
		})
	}
}

func image(t *testing.T, base, arch string) v1.Image {
	t.Helper()
	tagged, err := layout.ImageIndexFromPath(testenv.Base(t, base))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := tagged.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatal(manifest, err)
	}
	index, err := tagged.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	platforms, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range platforms.Manifests {
		if m.Platform.Architecture == arch {
			image, err := index.Image(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
	}
	t.Fatalf("%s has no %s", base, arch)
	return nil
}

// each calls f for every entry of an image's file system.
func each(t *testing.T, image v1.Image, f func(*tar.Header, io.Reader)) {
	t.Helper()
	stream := mutate.Extract(image)
	defer stream.Close()
	for r := tar.NewReader(stream); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(h, r)
	}
}

// mark is what a pyc records of its source.
type mark struct{ time, size uint32 }

// library returns the sources below dir (Debian has two links among them, which are left out) and, by their source's path, what their pycs record.
func library(t *testing.T, image v1.Image, dir string) (sources, compiled map[string]mark) {
	t.Helper()
	sources, compiled = map[string]mark{}, map[string]mark{}
	each(t, image, func(h *tar.Header, r io.Reader) {
		if !strings.HasPrefix(h.Name, dir) || h.Typeflag != tar.TypeReg {
			return
		}
		switch path.Ext(h.Name) {
		case ".py":
			sources[h.Name] = mark{uint32(h.ModTime.Unix()), uint32(h.Size)}
		case ".pyc":
			var head [4]uint32
			if err := binary.Read(r, binary.LittleEndian, &head); err != nil || head[1] != 0 {
				t.Errorf("%s: not a pyc with time and size: %v", h.Name, err)
			}
			module, _, _ := strings.Cut(path.Base(h.Name), ".cpython-")
			compiled[path.Join(path.Dir(path.Dir(h.Name)), module+".py")] = mark{head[2], head[3]}
		}
	})
	return sources, compiled
}
