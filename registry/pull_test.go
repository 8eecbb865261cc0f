package registry

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// pull pulls an image and fails the test on an error.
func pull(t testing.TB, c *Client, ref string) v1.Image {
	t.Helper()
	_, img, err := c.Pull(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if img == nil {
		t.Fatalf("%s is no image", ref)
	}
	return img
}

func sameDigest(t testing.TB, want, got interface{ Digest() (v1.Hash, error) }) {
	t.Helper()
	w, err := want.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if g, err := got.Digest(); err != nil || g != w {
		t.Errorf("digest %v, %v; want %v", g, err, w)
	}
}

func TestEachBlobIsDownloadedOnce(t *testing.T) {
	f, s := newFake(), store(t)
	what := image(t, 1)
	push(t, f.client(t, nil), Artifact{Image: what}, "registry.example/app:1")
	f.requests()
	img := pull(t, f.client(t, s), "registry.example/app:1")
	if n := count(f.requests(), "GET", "/blobs/"); n != 0 {
		t.Errorf("Pull alone fetched %d blobs", n)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := validate.Image(img); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sameDigest(t, what, img)
	if n := count(f.requests(), "GET", "/blobs/"); n != 3 {
		t.Errorf("%d downloads of 3 blobs", n)
	}
	img = pull(t, f.client(t, s), "registry.example/app:1")
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if got := f.requests(); len(got) != 1 {
		t.Errorf("with a warm store: %v", got)
	}
	digest, _ := what.Digest()
	img = pull(t, f.client(t, s), "registry.example/app@"+digest.String())
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if got := f.requests(); len(got) != 0 {
		t.Errorf("by digest, with a warm store: %v", got)
	}
}

func TestPullAnIndex(t *testing.T) {
	f, s := newFake(), store(t)
	what := index(t, 1)
	push(t, f.client(t, nil), Artifact{Index: what}, "registry.example/app:1")
	for range 2 {
		x, img, err := f.client(t, s).Pull(t.Context(), "registry.example/app:1")
		if err != nil || img != nil {
			t.Fatal(err, img)
		}
		if err := validate.Index(x); err != nil {
			t.Error(err)
		}
		sameDigest(t, what, x)
	}
}

// Without a store everything works, and is fetched each time.
func TestPullWithoutAStore(t *testing.T) {
	f := newFake()
	push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
	if err := validate.Image(pull(t, f.client(t, nil), "registry.example/app:1")); err != nil {
		t.Error(err)
	}
}

func TestWrongContentIsNotKept(t *testing.T) {
	for name, body := range map[string]func(string) string{
		"another": func(s string) string { return strings.Repeat("x", len(s)) },
		"shorter": func(s string) string { return s[:len(s)-1] },
		"longer":  func(s string) string { return s + "x" },
	} {
		synctest.Test(t, func(t *testing.T) {
			f, s := newFake(), store(t)
			push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
			f.after = func(req *http.Request, resp *http.Response) {
				if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/") {
					raw, _ := io.ReadAll(resp.Body)
					*resp = *reply(req, 200, body(string(raw)))
				}
			}
			img := pull(t, f.client(t, s), "registry.example/app:1")
			if _, err := img.RawConfigFile(); err == nil || !strings.Contains(err.Error(), "pull registry.example/app: ") {
				t.Errorf("%s: %v", name, err)
			}
			if all := files(t, filepath.Join(s.Root(), "blobs")); len(all) != 1 { // the manifest
				t.Errorf("%s: kept %v", name, all)
			}
		})
	}
}

// brokenBody yields some bytes and breaks off.
func brokenBody(req *http.Request, resp *http.Response, after int) {
	raw, _ := io.ReadAll(resp.Body)
	after = min(after, len(raw)-1)
	broken := reply(req, resp.StatusCode, string(raw))
	for k := range resp.Header {
		broken.Header.Set(k, resp.Header.Get(k))
	}
	broken.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(raw[:after])), errReader{errors.New("read: connection reset by peer")}))
	*resp = *broken
}

// ranges lets the fake answer range requests, which ggcr's registry does not do as asked.
func ranges(f *fake, honour bool) *atomic.Int32 {
	var asked atomic.Int32
	f.after = func(req *http.Request, resp *http.Response) {
		if req.Method != http.MethodGet || !strings.Contains(req.URL.Path, "/blobs/") {
			return
		}
		wanted := req.Header.Get("Range")
		if wanted != "" {
			asked.Add(1)
		}
		if wanted == "" || !honour {
			req.Header.Del("Range")
			whole, _ := f.answer(req)
			whole.Header.Set("Etag", `"e"`)
			if brokenBody(req, whole, 1500); wanted != "" {
				whole, _ = f.answer(req)
			}
			*resp = *whole
			return
		}
		req.Header.Del("Range")
		whole, _ := f.answer(req)
		raw, _ := io.ReadAll(whole.Body)
		from := 1500
		if req.Header.Get("If-Range") != `"e"` || wanted != "bytes=1500-" {
			*resp = *reply(req, 416, "")
			return
		}
		*resp = *reply(req, 206, string(raw[from:]), "Content-Range: bytes 1500-9999/*")
	}
	return &asked
}

func TestADownloadGoesOnWhereItBrokeOff(t *testing.T) {
	for name, honour := range map[string]bool{"with ranges": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, s := newFake(), store(t)
				push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
				img := pull(t, f.client(t, s), "registry.example/app:1")
				asked := ranges(f, honour)
				layers, err := img.Manifest()
				if err != nil {
					t.Fatal(err)
				}
				l, err := img.LayerByDigest(layers.Layers[0].Digest)
				if err != nil {
					t.Fatal(err)
				}
				r, err := l.Compressed()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if n, err := io.Copy(io.Discard, r); err != nil || n != layers.Layers[0].Size {
					t.Errorf("%d bytes, %v", n, err)
				}
				if asked.Load() != 1 {
					t.Errorf("%d range requests", asked.Load())
				}
			})
		})
	}
}

// A blob of the store that was damaged is noticed, and fetched again the next time.
func TestADamagedStoreHeals(t *testing.T) {
	f, s := newFake(), store(t)
	push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
	img := pull(t, f.client(t, s), "registry.example/app:1")
	m, _ := img.Manifest()
	if err := validate.Image(img); err != nil {
		t.Fatal(err)
	}
	file := s.BlobPath(m.Layers[0].Digest.Hex)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[100]++
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	layers, _ := pull(t, f.client(t, s), "registry.example/app:1").Layers()
	r, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err == nil || !strings.Contains(err.Error(), "was damaged") {
		t.Errorf("a damaged layer: %v", err)
	}
	if err := validate.Image(pull(t, f.client(t, s), "registry.example/app:1")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	f := newFake()
	f.set(func(req *http.Request) (*http.Response, error) {
		if !strings.Contains(req.URL.Path, "/manifests/") {
			return nil, nil
		}
		_, kind, _ := strings.Cut(req.URL.Path, "/manifests/")
		switch kind {
		case "chart":
			return reply(req, 200, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:`+strings.Repeat("a", 64)+`","size":1},"layers":[]}`, "Content-Type: application/vnd.oci.image.manifest.v1+json"), nil
		case "old":
			return reply(req, 200, `{}`, "Content-Type: application/vnd.docker.distribution.manifest.v1+json"), nil
		}
		return reply(req, 200, `{}`, "Content-Type: text/html"), nil
	})
	for tag, want := range map[string]string{"chart": "not a container image: its configuration is \"application/vnd.cncf.helm", "old": "schema 1", "page": `neither image nor index but "text/html"`} {
		index, img, err := f.client(t, store(t)).Pull(t.Context(), "registry.example/app:"+tag)
		if err == nil || !strings.Contains(err.Error(), want) || index != nil || img != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
}
