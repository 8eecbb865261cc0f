package registry

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const at = "registry.example"

func TestAnUnchangedPushIsOneHEADPerTag(t *testing.T) {
	for name, what := range map[string]Artifact{"image": {Image: image(t, 1)}, "index": {Index: index(t, 1)}} {
		f := newFake()
		to := []string{at + "/app:latest", at + "/app:1.2"}
		push(t, f.client(t, nil), what, to...)
		f.requests()
		p := push(t, f.client(t, nil), what, to...)
		if diff := cmp.Diff([]string{"HEAD /v2/app/manifests/latest", "HEAD /v2/app/manifests/1.2"}, f.requests()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if want, _ := what.Digest(); p != (Pushed{Digest: want}) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestSeveralTagsAreOneUpload(t *testing.T) {
	f := newFake()
	what := Artifact{Image: image(t, 1)}
	p := push(t, f.client(t, nil), what, at+"/app:a", at+"/app:b", at+"/app:c")
	got := f.requests()
	if n := count(got, "PATCH", ""); n != 3 { // two layers and the configuration
		t.Errorf("%d uploads", n)
	}
	if n := count(got, "PUT", "/manifests/"); n != 3 {
		t.Errorf("%d manifests put", n)
	}
	if p.Uploaded != 3 || p.Mounted+p.Existed != 0 || p.Bytes < 8000 {
		t.Errorf("%+v", p)
	}
	p = push(t, f.client(t, nil), Artifact{Image: image(t, 2)}, at+"/app:d")
	if p.Uploaded != 2 || p.Existed != 1 {
		t.Errorf("with a shared layer: %+v", p)
	}
}

func TestAnIndexComesAfterItsChildren(t *testing.T) {
	f := newFake()
	what := Artifact{Index: index(t, 1)}
	p := push(t, f.client(t, nil), what, at+"/app:latest")
	var puts []string
	for _, r := range f.requests() {
		if strings.HasPrefix(r, "PUT") {
			_, last, _ := strings.Cut(r, "/v2/app/")
			kind, _, _ := strings.Cut(last, "/")
			puts = append(puts, kind)
		}
	}
	if len(puts) != 8 || puts[5] == "blobs" && puts[6] != "manifests" || puts[7] != "manifests" {
		t.Errorf("%v", puts)
	}
	if p.Uploaded != 5 { // a shared layer, a layer and a configuration each
		t.Errorf("%+v", p)
	}
	x, _, err := f.client(t, store(t)).Pull(t.Context(), at+"/app:latest")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(x); err != nil {
		t.Error(err)
	}
}

func TestBlobsAreMountedFromWhereTheyCameFrom(t *testing.T) {
	f := newFake()
	push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, at+"/base/python:3.11")
	s := store(t)
	for _, cache := range []string{"cold", "warm"} {
		c := f.client(t, s)
		_, img, err := c.Pull(t.Context(), at+"/base/python:3.11")
		if err != nil {
			t.Fatal(err)
		}
		layers, _ := img.Layers()
		for _, l := range layers {
			r, err := l.Uncompressed()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
		f.requests()
		p := push(t, c, Artifact{Image: img}, at+"/team/"+cache+":latest")
		got := f.requests()
		if n := count(got, "POST", "mount=sha256"); n != 2 {
			t.Errorf("%s: %d mounts asked for: %v", cache, n, got)
		}
		if p.Mounted != 2 || p.Uploaded != 1 || count(got, "PATCH", "") != 1 { // the configuration is not a layer
			t.Errorf("%s: %+v", cache, p)
		}
	}
}

func TestWhatWasPushedIsMountedIntoTheNextRepository(t *testing.T) {
	f := newFake()
	p := push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, at+"/a:1", at+"/b:1", "other.example/c:1")
	if p.Mounted != 2 || p.Uploaded != 3+1+3 { // the configuration is no layer, hence the one; c is elsewhere
		t.Errorf("%+v", p)
	}
	if n := count(f.requests(), "POST", "/v2/c/blobs/uploads/?"); n != 0 {
		t.Errorf("another registry was asked to mount %d times", n)
	}
}

// A repository that refuses its blobs keeps the tags of all others as they are.
func TestTagsComeAfterAllRepositories(t *testing.T) {
	f := newFake()
	f.fault = func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost && strings.HasPrefix(req.URL.Path, "/v2/b/") {
			return reply(req, http.StatusForbidden, ""), nil
		}
		return nil, nil
	}
	_, err := f.client(t, nil).Push(t.Context(), refs(t, at+"/a:1", at+"/b:1"), Artifact{Image: image(t, 1)})
	if err == nil || !strings.Contains(err.Error(), at+"/b") {
		t.Error(err)
	}
	got := f.requests()
	if count(got, "PUT", "/v2/a/manifests/sha256:") != 1 || count(got, "PUT", "/manifests/1") != 0 {
		t.Errorf("%v", got)
	}
	f.fault = nil
	push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, at+"/a:1", at+"/b:1")
	if got := f.requests(); count(got, "PUT", "/manifests/1") != 2 {
		t.Errorf("%v", got)
	}
}

func TestPushNeedsSomethingAndSomewhere(t *testing.T) {
	c := newFake().client(t, nil)
	if _, err := c.Push(t.Context(), refs(t, at+"/a"), Artifact{}); err == nil {
		t.Error("nothing was pushed")
	}
	if _, err := c.Push(t.Context(), nil, Artifact{Image: image(t, 1)}); err == nil {
		t.Error("pushed to nowhere")
	}
}

// An error of a layer's own is not taken for the network's: nothing is retried, nothing is tagged.
func TestAnUnreadableLayerIsNotRetried(t *testing.T) {
	f := newFake()
	cause := errors.New("disk on fire")
	_, err := f.client(t, nil).Push(t.Context(), refs(t, at+"/a:1"), Artifact{Image: withBroken(t, cause)})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "push registry.example/a:1: ") {
		t.Error(err)
	}
	got := f.requests()
	if count(got, "PUT", "/manifests/") != 0 || count(got, "PATCH", "") > 4 {
		t.Errorf("%v", got)
	}
}

func TestProgressTellsEveryBlob(t *testing.T) {
	f := newFake()
	events := make(chan Event, 100)
	c := New(Options{Transport: f, Keychain: anonymous{}, Progress: func(e Event) { events <- e }})
	push(t, c, Artifact{Image: image(t, 1)}, at+"/a:1")
	close(events)
	n := map[EventKind]int{}
	for e := range events {
		n[e.Kind]++
		if e.Size != 0 && e.Done > e.Size {
			t.Errorf("%+v", e)
		}
	}
	if diff := cmp.Diff(map[EventKind]int{Uploading: 2, Uploaded: 3, Tagged: 1}, n); diff != "" {
		t.Error(diff)
	}
}
