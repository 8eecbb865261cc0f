package image

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/pexko/pexko/internal/tree"
)

// dockerBase is a base of Docker's media types, with everything in its configuration that may be in the way.
func dockerBase(t *testing.T, history bool) v1.Image {
	t.Helper()
	lower := write(t, store(t), tree.Tree{tree.NewFile("usr/bin/python3", 0o755, []byte("python"))}, LayerOptions{})
	add := mutate.Addendum{Layer: lower, MediaType: types.DockerLayer}
	if history {
		add.History = v1.History{CreatedBy: "ADD rootfs.tar /", Created: v1.Time{Time: time.Unix(1700000000, 0).UTC()}}
	}
	img, err := mutate.Append(empty.Image, add)
	if err != nil {
		t.Fatal(err)
	}
	f, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	f = f.DeepCopy()
	f.OS, f.Architecture, f.Author, f.Container = "linux", "arm64", "somebody", "0123"
	f.Variant = "v8"
	f.Config = v1.Config{
		Env: []string{"PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8", "PYTHON_VERSION=3.11.2"}, Cmd: []string{"python3"},
		Entrypoint: []string{"/entry.sh"}, User: "root", WorkingDir: "/root", Labels: map[string]string{"vendor": "base", "kept": "yes"},
		OnBuild: []string{"RUN evil"}, ExposedPorts: map[string]struct{}{"80/tcp": {}}, StopSignal: "SIGINT", Volumes: map[string]struct{}{"/data": {}},
	}
	if !history {
		f.History = nil
	}
	if img, err = mutate.ConfigFile(img, f); err != nil {
		t.Fatal(err)
	}
	return mutate.Annotations(img, map[string]string{"org.opencontainers.image.revision": "of the base"}).(v1.Image)
}

func ours(t *testing.T) []*Layer {
	s := store(t)
	return []*Layer{
		write(t, s, tree.Tree{tree.NewFile("pex/numpy.py", 0o644, []byte("numpy"))}, LayerOptions{CreatedBy: "pexko: wheels numpy 2.4.1", Annotations: map[string]string{"key": "k1"}}),
		write(t, s, tree.Tree{tree.NewFile("app/main.py", 0o644, []byte("main"))}, LayerOptions{CreatedBy: "pexko: app"}),
	}
}

func assemble(t *testing.T, base v1.Image, layers []*Layer, c Config) v1.Image {
	t.Helper()
	img, err := Assemble(base, layers, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Fatal(err)
	}
	return img
}

func TestAssembleOnADockerBaseIsOCIThroughout(t *testing.T) {
	base := dockerBase(t, true)
	digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}
	img := assemble(t, base, ours(t), Config{
		Annotations: map[string]string{"team": "web"},
		Base:        Base{Name: "registry.example/python:3.11", Digest: digest},
	})
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if m.MediaType != types.OCIManifestSchema1 || m.Config.MediaType != types.OCIConfigJSON {
		t.Errorf("manifest %s, configuration %s", m.MediaType, m.Config.MediaType)
	}
	below, _ := base.Manifest()
	for i, l := range m.Layers {
		if l.MediaType != types.OCILayer {
			t.Errorf("layer %d: %s", i, l.MediaType)
		}
	}
	if m.Layers[0].Digest != below.Layers[0].Digest || m.Layers[0].Size != below.Layers[0].Size {
		t.Error("the base's blob is another")
	}
	if m.Layers[1].Annotations["key"] != "k1" {
		t.Errorf("annotations of a layer: %v", m.Layers[1].Annotations)
	}
	want := map[string]string{
		"org.opencontainers.image.base.name": "registry.example/python:3.11", "org.opencontainers.image.base.digest": digest.String(), "team": "web",
	}
	if diff := cmp.Diff(want, m.Annotations); diff != "" {
		t.Error(diff)
	}
}

func TestConfigOverTheBase(t *testing.T) {
	c := Config{
		Env: []string{"LANG=de_DE.UTF-8", "HOME=/home/nonroot"}, Path: []string{"/pex/venv/bin"}, Entrypoint: []string{"/pex/venv/bin/python", "x.pyc"},
		User: "65532", WorkingDir: "/app", Labels: map[string]string{"vendor": "app"}, ExposedPorts: []string{"8080/tcp"}, StopSignal: "SIGTERM",
	}
	f, err := assemble(t, dockerBase(t, true), ours(t), c).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Env:        []string{"PATH=/pex/venv/bin:/usr/local/bin:/usr/bin", "LANG=de_DE.UTF-8", "PYTHON_VERSION=3.11.2", "HOME=/home/nonroot"},
		Entrypoint: []string{"/pex/venv/bin/python", "x.pyc"}, User: "65532", WorkingDir: "/app",
		Labels: map[string]string{"vendor": "app", "kept": "yes"}, ExposedPorts: map[string]struct{}{"80/tcp": {}, "8080/tcp": {}},
		StopSignal: "SIGTERM", Volumes: map[string]struct{}{"/data": {}},
	}
	if diff := cmp.Diff(want, f.Config); diff != "" {
		t.Error(diff)
	}
	if f.Author+f.Container != "" || !f.Created.Equal(Epoch) || f.Architecture != "arm64" || f.Variant != "v8" {
		t.Errorf("%+v", f)
	}
	c.Env = append(c.Env, "PATH=/mine")
	if f, _ = assemble(t, dockerBase(t, true), nil, c).ConfigFile(); f.Config.Env[0] != "PATH=/pex/venv/bin:/mine" {
		t.Errorf("%q", f.Config.Env)
	}
	f, _ = assemble(t, empty.Image, nil, c).ConfigFile()
	if want := []string{"LANG=de_DE.UTF-8", "HOME=/home/nonroot", "PATH=/pex/venv/bin:/mine"}; cmp.Diff(want, f.Config.Env) != "" {
		t.Errorf("%q", f.Config.Env)
	}
	f, _ = assemble(t, empty.Image, nil, Config{Path: []string{"/a", "/b"}}).ConfigFile()
	if want := []string{"PATH=/a:/b:" + defaultPath}; cmp.Diff(want, f.Config.Env) != "" {
		t.Errorf("%q", f.Config.Env)
	}
}

func TestEveryLayerHasAHistory(t *testing.T) {
	for history, first := range map[bool]string{true: "ADD rootfs.tar /", false: "base image"} {
		f, err := assemble(t, dockerBase(t, history), ours(t), Config{}).ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range f.History {
			got = append(got, h.CreatedBy)
		}
		if diff := cmp.Diff([]string{first, "pexko: wheels numpy 2.4.1", "pexko: app"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// The base is opened by nobody: its layers may be gigabytes away.
func TestAssembleReadsNoLayer(t *testing.T) {
	base, err := mutate.AppendLayers(dockerBase(t, true), static.NewLayer([]byte("x"), types.DockerLayer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := base.Digest(); err != nil { // mutate computes here, not in Assemble
		t.Fatal(err)
	}
	img, err := Assemble(closed{base}, ours(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := img.Digest(); err != nil {
		t.Fatal(err)
	}
}

// closed is an image whose layers cannot be opened.
type closed struct{ v1.Image }

func (c closed) Layers() ([]v1.Layer, error) {
	layers, err := c.Image.Layers()
	for i, l := range layers {
		layers[i] = closedLayer{l}
	}
	return layers, err
}

type closedLayer struct{ v1.Layer }

func (closedLayer) Compressed() (io.ReadCloser, error)   { panic("opened") }
func (closedLayer) Uncompressed() (io.ReadCloser, error) { panic("opened") }

func TestAssembleRefusesADamagedBase(t *testing.T) {
	base := dockerBase(t, true)
	f, _ := base.ConfigFile()
	f = f.DeepCopy()
	f.RootFS.DiffIDs = nil
	broken, err := mutate.ConfigFile(base, f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Assemble(broken, nil, Config{}); err == nil || !strings.Contains(err.Error(), "manifest has 1 layers and its configuration 0") {
		t.Error(err)
	}
}

func TestIndex(t *testing.T) {
	var children []Child
	for _, p := range []v1.Platform{{OS: "linux", Architecture: "arm64", Variant: "v8"}, {OS: "linux", Architecture: "amd64"}} {
		f, _ := dockerBase(t, true).ConfigFile()
		f = f.DeepCopy()
		f.Architecture, f.Variant = p.Architecture, p.Variant
		base, err := mutate.ConfigFile(dockerBase(t, true), f)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, Child{p, assemble(t, base, ours(t), Config{})})
	}
	x, err := Index(children, map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(x); err != nil {
		t.Fatal(err)
	}
	raw, _ := x.RawManifest()
	var m struct {
		Manifests []struct {
			Platform     v1.Platform
			ArtifactType string
		}
		Annotations map[string]string
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if m.Manifests[0].Platform.String() != "linux/arm64/v8" || m.Manifests[1].Platform.String() != "linux/amd64" || m.Annotations["a"] != "b" || m.Manifests[0].ArtifactType != "" {
		t.Errorf("%s", raw)
	}
	if _, err := Index(append(children, children[0]), nil); err == nil || !strings.Contains(err.Error(), "two images for linux/arm64/v8") {
		t.Error(err)
	}
	if _, err := Index(nil, nil); err == nil {
		t.Error("an empty index was made")
	}
}

func TestGoldenImage(t *testing.T) {
	const want = "sha256:31734aa445b024c1392c8a5c51f762fd4c1523563d63cc4805f34801b893ec81"
	img := assemble(t, dockerBase(t, true), ours(t), Config{Env: []string{"A=b"}, Path: []string{"/pex/venv/bin"}, Entrypoint: []string{"x"}, Labels: map[string]string{"l": "m"}})
	x, err := Index([]Child{{v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}, img}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := x.Digest(); got.String() != want {
		t.Errorf("%q, was %q", got, want)
	}
}
