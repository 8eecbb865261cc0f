package registry

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pexko/pexko/internal/cas"
)

// fake is a registry in this process, reached without a network, so that it can be had in a synctest bubble. It
// is ggcr's, with blobs per repository and mounts, as real ones have them. It notes requests and injects faults.
type fake struct {
	mu    sync.Mutex
	inner http.Handler
	blobs map[string]bool // "repo@digest"
	log   []string
	fault func(*http.Request) (*http.Response, error) // both nil: no fault
	after func(*http.Request, *http.Response)
}

func newFake() *fake {
	return &fake{inner: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), blobs: map[string]bool{}}
}

var blobURL = regexp.MustCompile(`^/v2/(.+)/blobs/(?:uploads/.*|(sha256:[0-9a-f]{64}))$`)

// RoundTrip implements http.RoundTripper.
func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	f.mu.Lock()
	f.log = append(f.log, req.Method+" "+req.URL.RequestURI())
	fault, after := f.fault, f.after
	f.mu.Unlock()
	if fault != nil {
		if resp, err := fault(req); resp != nil || err != nil {
			return resp, err
		}
	}
	resp, err := f.answer(req)
	if after != nil && err == nil {
		after(req, resp)
	}
	return resp, err
}

func (f *fake) answer(req *http.Request) (*http.Response, error) {
	m := blobURL.FindStringSubmatch(req.URL.Path)
	query := req.URL.Query()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case m != nil && req.Method == http.MethodHead && !f.blobs[m[1]+"@"+m[2]]:
		return reply(req, http.StatusNotFound, ""), nil
	case m != nil && req.Method == http.MethodPost && f.blobs[query.Get("from")+"@"+query.Get("mount")]:
		f.blobs[m[1]+"@"+query.Get("mount")] = true
		return reply(req, http.StatusCreated, ""), nil
	case m != nil && req.Method == http.MethodPost:
		req = req.Clone(req.Context())
		req.URL.RawQuery = ""
	}
	body := req.Body
	if body == nil {
		body = http.NoBody
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	sent := req.Clone(req.Context())
	sent.Body = io.NopCloser(bytes.NewReader(content))
	sent.RequestURI = sent.URL.RequestURI()
	w := httptest.NewRecorder()
	f.inner.ServeHTTP(w, sent)
	resp := w.Result()
	resp.Request = req
	if req.Method == http.MethodHead {
		resp.Body = http.NoBody
		_, _ = fmt.Sscan(resp.Header.Get("Content-Length"), &resp.ContentLength)
	} else {
		resp.ContentLength = int64(w.Body.Len())
	}
	if m != nil && req.Method == http.MethodPut && resp.StatusCode == http.StatusCreated {
		f.blobs[m[1]+"@"+query.Get("digest")] = true
	}
	return resp, nil
}

// reply is a response of the registry's own words; header has "Name: value" lines.
func reply(req *http.Request, code int, body string, header ...string) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprint(code, " ", http.StatusText(code)), StatusCode: code, Request: req, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		resp.Header.Set(k, v)
	}
	return resp
}

// requests returns what was asked since the last call, pings aside, with digests and upload names shortened.
func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, line := range f.log {
		if line != "GET /v2/" {
			all = append(all, line)
		}
	}
	f.log = nil
	return all
}

// count returns how many of the requests begin with the method and hold the text.
func count(requests []string, method, text string) int {
	n := 0
	for _, r := range requests {
		if strings.HasPrefix(r, method+" ") && strings.Contains(r, text) {
			n++
		}
	}
	return n
}

// set replaces the fault.
func (f *fake) set(fault func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// anonymous has no credentials, and looks for none on this machine.
type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// client is a new client of the fake, with a store of its own unless one is given.
func (f *fake) client(t testing.TB, s *cas.Store) *Client {
	t.Helper()
	return New(Options{Transport: f, Keychain: anonymous{}, Store: s})
}

func store(t testing.TB) *cas.Store {
	t.Helper()
	s, err := cas.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// layer is a gzip layer of about size bytes that differs by seed.
func layer(t testing.TB, seed uint64, size int) v1.Layer {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(r.Uint32())
	}
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	if _, err := z.Write(tarBytes(t, map[string][]byte{"f": content}, "f")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := partial.CompressedToLayer(static.NewLayer(compressed.Bytes(), types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	return plain{l}
}

// plain hides static's diffID, which is that of the compressed bytes.
type plain struct{ v1.Layer }

func (l plain) DiffID() (v1.Hash, error) {
	r, err := l.Uncompressed()
	if err != nil {
		return v1.Hash{}, err
	}
	h, _, err := v1.SHA256(r)
	return h, err
}

// image has two layers that differ by seed; the first is shared by all.
func image(t testing.TB, seed uint64) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layer(t, 0, 5000), layer(t, seed, 3000))
	if err != nil {
		t.Fatal(err)
	}
	f, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	f = f.DeepCopy()
	f.OS, f.Architecture = "linux", "amd64"
	if img, err = mutate.ConfigFile(img, f); err != nil {
		t.Fatal(err)
	}
	return mutate.ConfigMediaType(mutate.MediaType(img, types.OCIManifestSchema1), types.OCIConfigJSON)
}

// index has an image each for linux/amd64 and linux/arm64, which share a layer.
func index(t testing.TB, seed uint64) v1.ImageIndex {
	t.Helper()
	x := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, arch := range []string{"amd64", "arm64"} {
		img := image(t, seed+uint64(i))
		f, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		f = f.DeepCopy()
		f.Architecture = arch
		if img, err = mutate.ConfigFile(img, f); err != nil {
			t.Fatal(err)
		}
		x = mutate.AppendManifests(x, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: "linux", Architecture: arch},
		}})
	}
	return x
}

// refs parses references to be pushed to.
func refs(t testing.TB, all ...string) []name.Reference {
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

func tags(t testing.TB, all ...string) []name.Tag {
	t.Helper()
	var parsed []name.Tag
	for _, s := range all {
		tag, err := name.NewTag(s)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, tag)
	}
	return parsed
}

// push pushes and fails the test on an error.
func push(t testing.TB, c *Client, what Artifact, to ...string) Pushed {
	t.Helper()
	p, err := c.Push(t.Context(), refs(t, to...), what)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// files lists what is below dir, for what must be left and what must not.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// hint is the hint of an error, or "".
func hint(err error) string {
	if h, ok := err.(interface{ Hint() string }); ok {
		return h.Hint()
	}
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return hint(u.Unwrap())
	}
	if u, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, e := range u.Unwrap() {
			all = append(all, hint(e))
		}
		return strings.Join(all, "\n")
	}
	return ""
}

// broken is a layer whose content ends in an error.
type broken struct {
	v1.Layer
	err error
}

func (b broken) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("some"), errReader{b.err})), nil
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// withBroken is the image with a further layer that cannot be read.
func withBroken(t testing.TB, err error) v1.Image {
	t.Helper()
	img, aerr := mutate.AppendLayers(image(t, 1), static.NewLayer([]byte("twelve bytes"), types.OCILayer))
	if aerr != nil {
		t.Fatal(aerr)
	}
	if _, derr := img.Digest(); derr != nil {
		t.Fatal(derr)
	}
	return brokenImage{img, err}
}

type brokenImage struct {
	v1.Image
	err error
}

func (b brokenImage) Layers() ([]v1.Layer, error) {
	layers, err := b.Image.Layers()
	layers[len(layers)-1] = broken{layers[len(layers)-1], b.err}
	return layers, err
}
