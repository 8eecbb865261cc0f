package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pexko/pexko/image"
	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
	"github.com/pexko/pexko/internal/tree"
	"github.com/pexko/pexko/registry"
)

// These tests use the machinery of hack/testbed: a real registry, podman, skopeo, umoci.

// counter counts the requests that go out, pings aside.
type counter struct {
	mu  sync.Mutex
	all []string
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if req.URL.Path != "/v2/" {
		c.all = append(c.all, req.Method+" "+req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:])
	}
	c.mu.Unlock()
	return remote.DefaultTransport.RoundTrip(req)
}

func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

func cache(t *testing.T) *cas.Store {
	t.Helper()
	s, err := cas.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// app is an application on the base, for all of its platforms: one big layer and one of code.
func app(t *testing.T, c *registry.Client, s *cas.Store, base, code string, compression image.Compression) registry.Artifact {
	t.Helper()
	x, _, err := c.Pull(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := x.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var layers []*image.Layer
	for _, tr := range []tree.Tree{
		{tree.NewFile("pex/lib/big.bin", 0o644, make([]byte, 3<<20)), tree.NewLink("app/link", "main.py")},
		{tree.NewFile("app/main.py", 0o644, []byte(code))},
	} {
		l, err := image.WriteLayer(t.Context(), s, tr, image.LayerOptions{Compression: compression, CreatedBy: "pexko: test"})
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, l)
	}
	images, platforms, err := registry.Artifact{Index: x}.Images()
	if err != nil {
		t.Fatal(err)
	}
	var children []image.Child
	for i, img := range images {
		built, err := image.Assemble(img, layers, image.Config{
			Path: []string{"/pex/venv/bin"}, Entrypoint: []string{"/bin/cat", "/app/link"}, WorkingDir: "/app", User: "65532", Base: image.Base{Name: base, Digest: digest},
		})
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, image.Child{Platform: platforms[i], Image: built})
	}
	built, err := image.Index(children, nil)
	if err != nil {
		t.Fatal(err)
	}
	return registry.Artifact{Index: built}
}

func references(t *testing.T, all ...string) []name.Reference {
	t.Helper()
	var parsed []name.Reference
	for _, s := range all {
		ref, err := name.ParseReference(s)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, ref)
	}
	return parsed
}

// tool runs a command of the machine and returns what it prints.
func tool(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func digestOf(t *testing.T, a registry.Artifact) string {
	t.Helper()
	d, err := a.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestRealRegistry(t *testing.T) {
	prefix, s, wire := testenv.Registry(t), cache(t), &counter{}
	client := func() *registry.Client { return registry.New(registry.Options{Store: s, Transport: wire}) }
	base := testenv.BaseRef(t, "nopython")
	c := client()
	what := app(t, c, s, base, "print('one')", image.Gzip)
	to := references(t, prefix+"/app:latest", prefix+"/app:1")
	if err := c.CheckPush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	first, err := c.Push(t.Context(), to, what)
	if err != nil {
		t.Fatal(err)
	}
	// Our two layers and two configurations are sent; the base's layers, one per platform, are mounted.
	if first.Uploaded != 4 || first.Mounted != 2 || first.Digest.String() != digestOf(t, what) {
		t.Errorf("first push: %+v", first)
	}

	wire.take()
	again, err := client().Push(t.Context(), to, what)
	if err != nil {
		t.Fatal(err)
	}
	if got := wire.take(); !slices.Equal(got, []string{"HEAD latest", "HEAD 1"}) || again.Uploaded+again.Existed+again.Mounted != 0 {
		t.Errorf("unchanged push: %v, %+v", got, again)
	}

	// Another repository, a new client, a warm cache: the base is still mounted, and nothing of it is fetched.
	c = client()
	what = app(t, c, s, base, "print('two')", image.Gzip)
	wire.take()
	third, err := c.Push(t.Context(), references(t, prefix+"/other:latest"), what)
	if err != nil {
		t.Fatal(err)
	}
	if third.Mounted != 2 || third.Uploaded != 4 {
		t.Errorf("push with a warm cache: %+v", third)
	}
	for _, r := range wire.take() {
		if strings.HasPrefix(r, "GET") {
			t.Errorf("push with a warm cache: %s", r)
		}
	}

	ref := "docker://" + prefix + "/other@" + third.Digest.String()
	tool(t, "skopeo", "copy", "--all", "--src-tls-verify=false", ref, "oci:"+t.TempDir()+":copied")
	podman := testenv.Podman(t)
	id := podman.Pull(prefix+"/other:latest", "")
	if r := podman.Run(testenv.Container{Image: id, ReadOnly: true}); r.Stdout != "print('two')" {
		t.Errorf("%+v", r)
	}
}

func TestRealZstd(t *testing.T) {
	prefix, s := testenv.Registry(t), cache(t)
	c := registry.New(registry.Options{Store: s})
	p, err := c.Push(t.Context(), references(t, prefix+"/app:zstd"), app(t, c, s, testenv.BaseRef(t, "nopython"), "print('z')", image.Zstd))
	if err != nil {
		t.Fatal(err)
	}
	tool(t, "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://"+prefix+"/app@"+p.Digest.String(), "oci:"+t.TempDir()+":copied")
	podman := testenv.Podman(t)
	if r := podman.Run(testenv.Container{Image: podman.Pull(prefix+"/app:zstd", "")}); r.Stdout != "print('z')" {
		t.Errorf("%+v", r)
	}
}

func TestRealCredentials(t *testing.T) {
	auth, s := testenv.AuthRegistry(t), cache(t)
	to := references(t, auth.Prefix+"/app:1")
	plain := registry.New(registry.Options{Store: s})
	what := app(t, plain, s, testenv.Base(t, "nopython")+":1", "x", image.Gzip)
	attempt := func(config string) error {
		t.Setenv("DOCKER_CONFIG", config)
		t.Setenv("HOME", t.TempDir()) // ggcr looks into ~/.docker first
		c := registry.New(registry.Options{Store: s})
		if err := c.CheckPush(t.Context(), to); err != nil {
			return err
		}
		_, err := c.Push(t.Context(), to, what)
		return err
	}
	if err := attempt(auth.DockerConfig(t)); err != nil {
		t.Error(err)
	}
	wrong := auth
	wrong.Password = "wrong-" + auth.Password
	for _, config := range []string{wrong.DockerConfig(t), t.TempDir()} {
		err := attempt(config)
		var e *registry.Error
		if !errors.As(err, &e) || e.Reason != registry.Unauthorized || !strings.Contains(e.Hint(), "docker login 127.0.0.1:") || strings.Contains(err.Error(), wrong.Password) {
			t.Errorf("%v", err)
		}
	}
	config := t.TempDir()
	if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(`{"credsStore":"not-installed"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var e *registry.Error
	if err := attempt(config); !errors.As(err, &e) || e.Reason != registry.Credentials || !strings.Contains(err.Error(), "docker-credential-not-installed") {
		t.Errorf("%v", err)
	}
}

func TestRealToolsReadWhatIsWritten(t *testing.T) {
	s, dir := cache(t), t.TempDir()
	c := registry.New(registry.Options{Store: s})
	what := app(t, c, s, testenv.Base(t, "nopython")+":1", "print('files')", image.Gzip)
	tag, err := name.NewTag("registry.example/app:1")
	if err != nil {
		t.Fatal(err)
	}
	layout, archive, tarball := filepath.Join(dir, "layout"), filepath.Join(dir, "oci.tar"), filepath.Join(dir, "docker.tar")
	one, err := what.For(v1.Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		registry.WriteLayout(t.Context(), layout, []string{"1"}, what),
		registry.WriteArchive(t.Context(), archive, []name.Tag{tag}, what),
		registry.WriteTarball(t.Context(), tarball, []name.Tag{tag}, registry.Artifact{Image: one}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, src := range []string{"oci:" + layout + ":1", "oci-archive:" + archive + ":1", "docker-archive:" + tarball + ":registry.example/app:1", "oci-archive:" + tarball + ":1"} {
		args := []string{"copy", src, fmt.Sprintf("oci:%s/copy%d:1", dir, i)}
		if i < 2 {
			args = slices.Insert(args, 1, "--all")
		}
		tool(t, "skopeo", args...)
	}
	single := filepath.Join(dir, "single")
	if err := registry.WriteLayout(t.Context(), single, []string{"1"}, registry.Artifact{Image: one}); err != nil {
		t.Fatal(err)
	}
	tool(t, "umoci", "unpack", "--rootless", "--image", single+":1", filepath.Join(dir, "bundle"))
	if got, err := os.ReadFile(filepath.Join(dir, "bundle/rootfs/app/main.py")); err != nil || string(got) != "print('files')" {
		t.Errorf("umoci unpacked %q, %v", got, err)
	}
	podman := testenv.Podman(t)
	for _, src := range []string{"oci:" + layout + ":1", "oci-archive:" + archive, "docker-archive:" + tarball} {
		if r := podman.Run(testenv.Container{Image: podman.Pull(src, "")}); r.Stdout != "print('files')" {
			t.Errorf("%s: %+v", src, r)
		}
	}
}

func TestRealArchivesAreRead(t *testing.T) {
	s, dir := cache(t), t.TempDir()
	c := registry.New(registry.Options{Store: s})
	base := "docker://" + testenv.BaseRef(t, "nopython")
	_ = testenv.Podman(t)
	copied, saved := filepath.Join(dir, "copied.tar"), filepath.Join(dir, "saved.tar")
	tool(t, "skopeo", "copy", "--src-tls-verify=false", base, "docker-archive:"+copied+":local/busybox:1")
	tool(t, "skopeo", "copy", "--src-tls-verify=false", base, "oci-archive:"+filepath.Join(dir, "oci.tar")+":1")
	tool(t, "podman", "pull", "-q", "--tls-verify=false", testenv.BaseRef(t, "nopython"))
	tool(t, "podman", "save", "-q", "-o", saved, testenv.BaseRef(t, "nopython"))
	var configs []v1.Hash
	for _, ref := range []string{copied, "docker-archive:" + copied + ":local/busybox:1", saved, filepath.Join(dir, "oci.tar") + ":1"} {
		_, img, err := c.Pull(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) == 0 {
			t.Fatal(ref, err)
		}
		diffID, err := layers[0].DiffID()
		if err != nil {
			t.Fatal(err)
		}
		r, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := v1.SHA256(r); err != nil || got != diffID {
			t.Errorf("%s: layer %v, %v", ref, got, err)
		}
		r.Close()
		configs = append(configs, diffID)
	}
	if slices.IndexFunc(configs, func(h v1.Hash) bool { return h != configs[0] }) >= 0 {
		t.Errorf("%v", configs)
	}
}

func TestLoadIntoPodman(t *testing.T) {
	s := cache(t)
	c := registry.New(registry.Options{Store: s})
	what := app(t, c, s, testenv.Base(t, "nopython")+":1", "print('loaded')", image.Gzip)
	podman := testenv.Podman(t)
	for _, names := range [][]string{{"localhost/pexko-load:1"}, {"registry.example/team/app:2", "registry.example/team/app:latest"}, nil} {
		var tags []name.Tag
		for _, n := range names {
			tag, err := name.NewTag(n)
			if err != nil {
				t.Fatal(err)
			}
			tags = append(tags, tag)
		}
		l, err := registry.Load(t.Context(), "podman", tags, what)
		if err != nil {
			t.Fatal(err)
		}
		if names != nil && !slices.Equal(l.Refs, names) || len(l.Refs) == 0 {
			t.Errorf("loaded as %v, want %v", l.Refs, names)
		}
		for _, ref := range l.Refs {
			t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "podman", "rmi", "-f", ref).Run() })
			if r := podman.Run(testenv.Container{Image: ref}); r.Stdout != "print('loaded')" {
				t.Errorf("%+v", r)
			}
			var info []struct{ Digest string }
			if err := json.Unmarshal([]byte(tool(t, "podman", "image", "inspect", ref)), &info); err != nil {
				t.Fatal(err)
			}
			if info[0].Digest != l.Digest.String() {
				t.Errorf("podman has it as %s, built was %s", info[0].Digest, l.Digest)
			}
		}
	}
}
