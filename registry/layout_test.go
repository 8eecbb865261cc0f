package registry

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ggcr "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func writeTo1(t testing.TB, dir string, what Artifact, tags ...string) {
	t.Helper()
	if err := WriteLayout(t.Context(), dir, tags, what); err != nil {
		t.Fatal(err)
	}
}

// entries are the tags (or digests) and digests of an index.json.
func entries(t testing.TB, dir string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m v1.IndexManifest
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, d := range m.Manifests {
		if n := d.Annotations["org.opencontainers.image.ref.name"]; n != "" {
			all[n] = d.Digest.String()
		} else {
			all["@"] = d.Digest.String()
		}
	}
	if len(all) != len(m.Manifests) {
		t.Errorf("an entry is there twice: %s", raw)
	}
	return all
}

func digest(t testing.TB, what Artifact) string {
	t.Helper()
	d, err := what.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestALayoutKeepsWhatItHas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	one, two, x := Artifact{Image: image(t, 1)}, Artifact{Image: image(t, 2)}, Artifact{Index: index(t, 3)}
	writeTo1(t, dir, one, "one", "latest")
	writeTo1(t, dir, two, "two", "latest")
	writeTo1(t, dir, x, "x")
	writeTo1(t, dir, x, "x")
	writeTo1(t, dir, one)
	writeTo1(t, dir, one)
	want := map[string]string{"one": digest(t, one), "two": digest(t, two), "latest": digest(t, two), "x": digest(t, x), "@": digest(t, one)}
	if diff := cmp.Diff(want, entries(t, dir)); diff != "" {
		t.Error(diff)
	}
	l, err := ggcr.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := l.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(whole); err != nil {
		t.Error(err)
	}
	for _, f := range files(t, dir) {
		if base := filepath.Base(f); strings.HasPrefix(base, ".") || len(base) != 64 && base != "index.json" && base != "oci-layout" {
			t.Errorf("left %s", f)
		}
	}
}

func TestAFailedLayoutLeavesNothing(t *testing.T) {
	cause := errors.New("disk on fire")
	bad := Artifact{Image: withBroken(t, cause)}
	dir := filepath.Join(t.TempDir(), "new", "layout")
	if err := WriteLayout(t.Context(), dir, []string{"a"}, bad); !errors.Is(err, cause) || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left %v", files(t, filepath.Dir(dir)))
	}
	writeTo1(t, dir, Artifact{Image: image(t, 2)}, "kept")
	before := files(t, dir)
	if err := WriteLayout(t.Context(), dir, []string{"kept"}, bad); !errors.Is(err, cause) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := WriteLayout(ctx, dir, []string{"kept"}, Artifact{Image: image(t, 5)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff(before, files(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestALayoutIsNotPutAmongOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := WriteLayout(t.Context(), dir, nil, Artifact{Image: image(t, 1)})
	if err == nil || !strings.Contains(err.Error(), "neither empty nor a layout (it holds thesis.tex") {
		t.Error(err)
	}
	if err := WriteLayout(t.Context(), filepath.Join(dir, "thesis.tex"), nil, Artifact{Image: image(t, 1)}); err == nil {
		t.Error("a file became a layout")
	}
}

func TestPullFromALayout(t *testing.T) {
	dir := t.TempDir()
	one, x := Artifact{Image: image(t, 1)}, Artifact{Index: index(t, 3)}
	writeTo1(t, dir, one, "one", "same")
	writeTo1(t, dir, x, "x")
	c := New(Options{})
	for ref, want := range map[string]Artifact{
		dir + ":one": one, "oci:" + dir + ":same": one, dir + ":x": x, dir + "@" + digest(t, x): x, "oci:" + dir + "@" + digest(t, one): one,
	} {
		index, img, err := c.Pull(t.Context(), ref)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		if got := digest(t, Artifact{Image: img, Index: index}); got != digest(t, want) {
			t.Errorf("%s: %s", ref, got)
		}
		if img != nil {
			err = validate.Image(img)
		} else {
			err = validate.Index(index)
		}
		if err != nil {
			t.Error(err)
		}
	}
	for ref, want := range map[string]string{
		dir:           "it holds 2 images, and one is wanted: :one, :same, :x",
		dir + ":none": `it holds no image ":none", but :one, :same, :x`,
		dir + "@sha256:" + strings.Repeat("0", 64): "it holds no image",
		t.TempDir(): "a directory without an OCI layout",
	} {
		_, _, err := c.Pull(t.Context(), ref)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ref) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, _, err := c.Pull(t.Context(), dir); !strings.Contains(hint(err), ":one :same :x") {
		t.Errorf("hint %q", hint(err))
	}
}

// One image under two tags needs no choice; an index.json without names is an index itself.
func TestPullFromALayoutOfOne(t *testing.T) {
	dir := t.TempDir()
	one := Artifact{Image: image(t, 1)}
	writeTo1(t, dir, one, "one", "same")
	sameDigest(t, one, pull(t, New(Options{}), dir))

	flat := t.TempDir()
	x := index(t, 3)
	l, err := ggcr.Write(flat, x) // writes the index itself as index.json
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := New(Options{}).Pull(t.Context(), string(l))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(got); err != nil {
		t.Error(err)
	}
	images, platforms, err := Artifact{Index: got}.Images()
	if err != nil || len(images) != 2 || platforms[1].String() != "linux/arm64" {
		t.Errorf("%v, %v", platforms, err)
	}
}

func TestALayoutIsVerified(t *testing.T) {
	dir := t.TempDir()
	img := image(t, 1)
	writeTo1(t, dir, Artifact{Image: img}, "one")
	layers, _ := img.Layers()
	d, _ := layers[0].Digest()
	file := layoutDir(dir).path(d)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1]++
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(pull(t, New(Options{}), dir)); err == nil {
		t.Error("a damaged layer was taken")
	}
	name, _ := img.ConfigName()
	if err := os.WriteFile(layoutDir(dir).path(name), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := pull(t, New(Options{}), dir).ConfigFile(); err == nil || !strings.Contains(err.Error(), name.String()) {
		t.Errorf("a damaged configuration: %v", err)
	}
}

func TestHostileLayouts(t *testing.T) {
	for name, index := range map[string]string{
		"escape": `{"manifests":[{"mediaType":"` + string(types.OCIManifestSchema1) + `","digest":"sha256:../../../../etc/passwd","size":1}]}`,
		"broken": `{"manifests":`,
		"huge":   `{"manifests":[{"mediaType":"` + string(types.OCIManifestSchema1) + `","digest":"sha256:` + strings.Repeat("a", 64) + `","size":99999999999}]}`,
		"none":   `{}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := New(Options{}).Pull(t.Context(), dir); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestLocate(t *testing.T) {
	work := t.TempDir()
	t.Chdir(work)
	for _, dir := range []string{"python", "layout", "with:colon"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"layout/index.json", "with:colon/index.json", "file.tar"} {
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for ref, want := range map[string]location{
		"python:3.13":              {remoteKind, "python:3.13", ""}, // a directory of that name is the project's
		"docker://python:3.13":     {remoteKind, "python:3.13", ""},
		"ghcr.io/org/app@sha256:x": {remoteKind, "ghcr.io/org/app@sha256:x", ""},
		"layout:3.13":              {layoutKind, "layout", ":3.13"},
		"./layout":                 {layoutKind, "./layout", ""},
		"oci:layout@sha256:x":      {layoutKind, "layout", "@sha256:x"},
		"with:colon:1":             {layoutKind, "with:colon", ":1"},
		"file.tar:r.example/a:1":   {archiveKind, "file.tar", ":r.example/a:1"},
		"oci-archive:file.tar":     {ociArchiveKind, "file.tar", ""},
		"docker-archive:file.tar":  {dockerArchiveKind, "file.tar", ""},
	} {
		if got, err := locate(ref); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", ref, got, err, want)
		}
	}
	if _, err := locate("./python:3.13"); err == nil {
		t.Error("a directory that is no layout was taken for one")
	}
}
