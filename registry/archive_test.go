package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestAnArchiveIsTheSameEachTimeAndComesBack(t *testing.T) {
	for kind, what := range map[string]Artifact{"image": {Image: image(t, 1)}, "index": {Index: index(t, 1)}} {
		dir := t.TempDir()
		a, b := filepath.Join(dir, "a.tar"), filepath.Join(dir, "b.tar")
		for _, file := range []string{a, b, b} {
			if err := WriteArchive(t.Context(), file, tags(t, "r.example/app:1", "r.example/app:2"), what); err != nil {
				t.Fatal(err)
			}
		}
		x, _ := os.ReadFile(a)
		y, _ := os.ReadFile(b)
		if !bytes.Equal(x, y) {
			t.Errorf("%s: the archives differ", kind)
		}
		if got := files(t, dir); len(got) != 2 {
			t.Errorf("left %v", got)
		}
		for _, ref := range []string{a, "oci-archive:" + a + ":1", a + ":r.example/app:2", a + "@" + digest(t, what)} {
			index, img, err := New(Options{}).Pull(t.Context(), ref)
			if err != nil {
				t.Errorf("%s: %v", ref, err)
				continue
			}
			if img != nil {
				err = validate.Image(img)
			} else {
				err = validate.Index(index)
			}
			if got := digest(t, Artifact{Image: img, Index: index}); err != nil || got != digest(t, what) {
				t.Errorf("%s: %s, %v", ref, got, err)
			}
		}
	}
}

func TestATarballIsADockerArchiveAndAnOCIArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.tar")
	want := image(t, 1)
	if err := WriteTarball(t.Context(), file, tags(t, "r.example/app:1", "hello:latest"), Artifact{Image: want}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags(t, "r.example/app:1", "hello:latest") {
		img, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := want.ConfigName()
		if b, err := img.ConfigName(); err != nil || a != b {
			t.Errorf("%s: %v, %v", tag, b, err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
	}
	sameDigest(t, want, pull(t, New(Options{}), file))
	names, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil || strings.Join(names[0].RepoTags, " ") != "r.example/app:1 hello:latest" {
		t.Errorf("%v, %v", names, err)
	}
}

func TestATarballHoldsOnePlatform(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.tar")
	err := WriteTarball(t.Context(), file, nil, Artifact{Index: index(t, 1)})
	if err == nil || !strings.Contains(err.Error(), "2 were built (linux/amd64, linux/arm64)") || !strings.Contains(err.Error(), "--oci-archive") {
		t.Error(err)
	}
}

func TestAFailedArchiveLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "app.tar")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("disk on fire")
	bad := Artifact{Image: withBroken(t, cause)}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		WriteArchive(t.Context(), file, nil, bad), WriteTarball(t.Context(), file, nil, bad),
		WriteArchive(cancelled, file, nil, Artifact{Image: image(t, 1)}),
	} {
		if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), file) {
			t.Error(err)
		}
	}
	if raw, _ := os.ReadFile(file); string(raw) != "old" || len(files(t, dir)) != 1 {
		t.Errorf("%q, %v", raw, files(t, dir))
	}
	if err := WriteArchive(t.Context(), filepath.Join(dir, "no", "app.tar"), nil, Artifact{Image: image(t, 1)}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// Two repositories under one tag: RepoTags holds both, the index one entry each, and the tag is in it once.
func TestNamesWithOneTagShareAnArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.tar")
	both := []string{"a.example/x:latest", "b.example/x:latest"}
	want := image(t, 1)
	if err := WriteTarball(t.Context(), file, tags(t, both...), Artifact{Image: want}); err != nil {
		t.Fatal(err)
	}
	loaded, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil || strings.Join(loaded[0].RepoTags, " ") != strings.Join(both, " ") {
		t.Errorf("%v, %v", loaded, err)
	}
	for _, ref := range []string{file + ":latest", file + ":" + both[0], file + ":" + both[1]} {
		sameDigest(t, want, pull(t, New(Options{}), ref))
	}
	raw, err := archiveIndex(tags(t, both...), Artifact{Image: want})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]string
	for _, d := range m.Manifests {
		got = append(got, d.Annotations)
	}
	if diff := cmp.Diff([]map[string]string{
		{"org.opencontainers.image.ref.name": "latest", "io.containerd.image.name": both[0]},
		{"io.containerd.image.name": both[1]},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	err := WriteArchive(t.Context(), "/dev/full", nil, Artifact{Image: image(t, 1)})
	if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "OCI archive /dev/full: ") || !strings.Contains(hint(err), "free space") {
		t.Errorf("%v; hint %q", err, hint(err))
	}
}

// dockerArchive is one as docker and podman save write them: plain layers.
func dockerArchive(t *testing.T, images map[string]v1.Image, compressed bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "saved.tar")
	content := map[string][]byte{}
	var order, manifest []string
	put := func(name string, raw []byte) string {
		if _, ok := content[name]; !ok {
			content[name], order = raw, append(order, name)
		}
		return name
	}
	for tag, img := range images {
		var layers []string
		all, _ := img.Layers()
		for _, l := range all {
			d, _ := l.DiffID()
			open := l.Uncompressed
			if compressed {
				open = l.Compressed
			}
			r, err := open()
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := io.ReadAll(r)
			layers = append(layers, `"`+put(d.Hex+"/layer.tar", raw)+`"`)
		}
		config, _ := img.RawConfigFile()
		id, _ := img.ConfigName()
		manifest = append(manifest, `{"Config":"`+put(id.Hex+".json", config)+`","RepoTags":["`+tag+`"],"Layers":[`+strings.Join(layers, ",")+`]}`)
	}
	put("manifest.json", []byte("["+strings.Join(manifest, ",")+"]"))
	if err := os.WriteFile(file, tarBytes(t, content, order...), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPullFromADockerArchive(t *testing.T) {
	one, two := image(t, 1), image(t, 2)
	file := dockerArchive(t, map[string]v1.Image{"python:3.11": one, "r.example/app:2": two}, false)
	s := store(t)
	c := New(Options{Store: s})
	id, _ := two.ConfigName()
	for ref, want := range map[string]v1.Image{
		file + ":3.11": one, "docker-archive:" + file + ":docker.io/library/python:3.11": one, file + ":r.example/app:2": two, file + "@" + id.String(): two,
	} {
		img := pull(t, c, ref)
		if err := validate.Image(img); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		w, _ := want.ConfigName()
		if got, _ := img.ConfigName(); got != w {
			t.Errorf("%s: %v", ref, got)
		}
	}
	for ref, want := range map[string]string{file: "it holds 2 images", file + ":9": `it holds no image ":9"`, "oci-archive:" + file: "index.json: file does not exist in the archive"} {
		if _, _, err := c.Pull(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, _, err := New(Options{}).Pull(t.Context(), file+":3.11"); err == nil {
		t.Error("unpacked to nowhere")
	}
}

// The digest of an image from a Docker archive is made here: it must not move.
func TestADockerArchiveHasOneDigest(t *testing.T) {
	file := dockerArchive(t, map[string]v1.Image{"a:1": image(t, 1)}, false)
	sameDigest(t, pull(t, New(Options{Store: store(t)}), file), pull(t, New(Options{Store: store(t)}), file))
	const want = "sha256:e3fcac1562323247d7f02254083f12e042bcf0865e8a46fd734e2506d27c8008"
	if got := digest(t, Artifact{Image: pull(t, New(Options{Store: store(t)}), file)}); got != want {
		t.Errorf("%q, was %q", got, want)
	}
	packed := image(t, 1)
	img := pull(t, New(Options{Store: store(t)}), dockerArchive(t, map[string]v1.Image{"a:1": packed}, true))
	layers, _ := packed.Layers()
	got, _ := img.Layers()
	for i := range layers {
		sameDigest(t, layers[i], got[i]) // compressed layers stay as they are
	}
}

func TestADamagedDockerArchiveIsNoticed(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		file := dockerArchive(t, map[string]v1.Image{"a:1": image(t, 1)}, compressed)
		raw, _ := os.ReadFile(file)
		raw[1800]++ // within the first layer's content
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		s := store(t)
		_, _, err := New(Options{Store: s}).Pull(t.Context(), file)
		if err == nil || !strings.Contains(err.Error(), "/layer.tar: ") {
			t.Error(err)
		}
		if left := files(t, filepath.Join(s.Root(), "blobs")); len(left) > 1 {
			t.Errorf("kept %v", left)
		}
	}
}

func TestWhatIsNoArchive(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(tarBytes(t, nil))
	_ = z.Close()
	for file, c := range map[string]struct {
		content []byte
		want    string
	}{
		"a.tar.gz": {packed.Bytes(), "compressed; unpack it first with gunzip"},
		"other":    {tarBytes(t, map[string][]byte{"x": nil, "y": nil}, "x", "y"), "neither an OCI archive (index.json) nor a Docker archive (manifest.json); it holds x, y"},
		"empty":    {nil, "it holds nothing"},
		"text":     {bytes.Repeat([]byte("no tar\n"), 200), "reading the archive"},
	} {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := New(Options{}).Pull(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Old docker save writes equal layers once, and links to them.
func TestLinksAmongMembers(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Name: "./a/layer.tar", Typeflag: tar.TypeReg, Size: 3},
		{Name: "b/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../a/layer.tar"},
		{Name: "c", Typeflag: tar.TypeLink, Linkname: "b/layer.tar"},
		{Name: "d", Typeflag: tar.TypeSymlink, Linkname: "d"},
		{Name: "e", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = io.WriteString(w, "abc")
		}
	}
	_ = w.Close()
	file := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := openArchive(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/layer.tar": "abc", "b/layer.tar": "abc", "c": "abc", "d": "", "e": ""} {
		raw, err := a.small(name)
		if string(raw) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
}

func TestFamiliarNames(t *testing.T) {
	for in, want := range map[string][2]string{
		"hello":                {"hello:latest", "docker.io/library/hello:latest"},
		"docker.io/me/app:1":   {"me/app:1", "docker.io/me/app:1"},
		"ghcr.io/org/app:2":    {"ghcr.io/org/app:2", "ghcr.io/org/app:2"},
		"localhost/app":        {"localhost/app:latest", "localhost/app:latest"},
		"127.0.0.1:5000/a/b:c": {"127.0.0.1:5000/a/b:c", "127.0.0.1:5000/a/b:c"},
	} {
		tag, err := name.NewTag(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{familiar(tag), full(tag)}; got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func TestDockerCodecNamesTheCompressorsVersion(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(dockerCodec, "klauspost-compress-")
	version, _, _ = strings.Cut(version, ",")
	if !strings.Contains(string(mod), "github.com/klauspost/compress v"+version) {
		t.Errorf("dockerCodec %q is not of the version in go.mod", dockerCodec)
	}
}
