package registry

import (
	"context"
	"net/http"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// outcome is how a registry came to have a blob.
type outcome uint8

const (
	existed outcome = iota + 1
	mounted
	uploaded
)

// tally collects what the requests of one push came to. It travels in their context, since ggcr does not tell.
type tally struct {
	mu    sync.Mutex
	blobs map[v1.Hash]outcome
	told  func(v1.Hash, outcome)
}

type tallyKey struct{}

// withTally lets the wire report to told, once per blob.
func withTally(ctx context.Context, told func(v1.Hash, outcome)) (context.Context, *tally) {
	t := &tally{blobs: map[v1.Hash]outcome{}, told: told}
	return context.WithValue(ctx, tallyKey{}, t), t
}

func (t *tally) set(digest string, o outcome) {
	h, err := v1.NewHash(digest)
	if err != nil {
		return
	}
	t.mu.Lock()
	_, known := t.blobs[h]
	if !known {
		t.blobs[h] = o
	}
	t.mu.Unlock()
	if !known {
		t.told(h, o)
	}
}

// wire is a transport that notes the outcome of the requests that put blobs into a repository
// (OCI distribution specification, end-4, end-6, end-10, end-11).
type wire struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.inner.RoundTrip(req)
	t, ok := req.Context().Value(tallyKey{}).(*tally)
	if !ok || err != nil {
		return resp, err
	}
	_, digest, isBlob := strings.Cut(req.URL.Path, "/blobs/")
	query := req.URL.Query()
	switch {
	case req.Method == http.MethodHead && isBlob && resp.StatusCode == http.StatusOK:
		t.set(digest, existed)
	case req.Method == http.MethodPost && query.Has("mount") && resp.StatusCode == http.StatusCreated:
		t.set(query.Get("mount"), mounted)
	case req.Method == http.MethodPut && query.Has("digest") && resp.StatusCode == http.StatusCreated:
		t.set(query.Get("digest"), uploaded)
	}
	return resp, nil
}
