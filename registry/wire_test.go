package registry

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// serve is ggcr's registry behind a real connection; before sees each request and may break it off.
func serve(t *testing.T, start func(http.Handler) *httptest.Server, before func(http.ResponseWriter, *http.Request, http.Handler)) string {
	t.Helper()
	inner := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	s := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { before(w, r, inner) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	_, host, _ := strings.Cut(s.URL, "://")
	return host
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// What the faults of a transport look like on a real connection, and that they are outlived there.
func TestBrokenConnections(t *testing.T) {
	var patches, gets atomic.Int32
	host := serve(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request, inner http.Handler) {
		switch {
		case r.Method == http.MethodPatch && patches.Add(1) == 1:
			_, _ = io.CopyN(io.Discard, r.Body, 100)
			hangUp(w)
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") && r.Header.Get("Range") == "" && gets.Add(1) == 1:
			cut := httptest.NewRecorder()
			inner.ServeHTTP(cut, r)
			w.Header().Set("Content-Length", cut.Header().Get("Content-Length"))
			_, _ = w.Write(cut.Body.Bytes()[:cut.Body.Len()/2])
			panic(http.ErrAbortHandler)
		default:
			inner.ServeHTTP(w, r)
		}
	})
	c := New(Options{Keychain: anonymous{}, Store: store(t)})
	what := image(t, 1)
	p := push(t, c, Artifact{Image: what}, host+"/app:1")
	if p.Uploaded != 3 || patches.Load() < 4 {
		t.Errorf("%+v after %d uploads", p, patches.Load())
	}
	img := pull(t, c, host+"/app:1")
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
}

// A loopback registry is asked over TLS and in plain HTTP; that one of them fails is no fault to wait for.
func TestPlainHTTPOnLoopbackIsNoFault(t *testing.T) {
	host := serve(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request, inner http.Handler) { inner.ServeHTTP(w, r) })
	c := New(Options{Keychain: anonymous{}, Store: store(t), Progress: func(e Event) {
		if e.Kind == Waiting {
			t.Errorf("waited: %s", e.Reason)
		}
	}})
	if err := c.CheckPush(t.Context(), refs(t, host+"/app")); err != nil {
		t.Fatal(err)
	}
	push(t, c, Artifact{Image: image(t, 1)}, host+"/app:1")
	pull(t, c, host+"/app:1")
}

func TestInsecure(t *testing.T) {
	host := serve(t, httptest.NewTLSServer, func(w http.ResponseWriter, r *http.Request, inner http.Handler) { inner.ServeHTTP(w, r) })
	err := New(Options{Keychain: anonymous{}}).CheckPush(t.Context(), refs(t, host+"/app"))
	var e *Error
	if !errors.As(err, &e) || e.Reason != Untrusted || !strings.Contains(hint(err), "--insecure-registry") {
		t.Errorf("%v; hint %q", err, hint(err))
	}
	c := New(Options{Keychain: anonymous{}, Insecure: true, Store: store(t)})
	push(t, c, Artifact{Image: image(t, 1)}, host+"/app:1")
	pull(t, c, host+"/app:1")
}

func TestNobodyListens(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	_, host, _ := strings.Cut(s.URL, "://")
	s.Close()
	err := New(Options{Keychain: anonymous{}}).CheckPush(t.Context(), refs(t, host+"/app"))
	var e *Error
	if !errors.As(err, &e) || e.Reason != Unreachable || !strings.Contains(err.Error(), "nothing listens at "+host) {
		t.Errorf("%v", err)
	}
	err = New(Options{Keychain: anonymous{}}).CheckPush(t.Context(), refs(t, "pexko.invalid/app"))
	if !errors.As(err, &e) || e.Reason != UnknownHost && e.Reason != Unreachable {
		t.Errorf("%v", err)
	}
}

// The client's transport is its own: nothing of it is seen by others in the process.
func TestNoSharedTransport(t *testing.T) {
	_ = New(Options{Insecure: true})
	if d := http.DefaultTransport.(*http.Transport); d.TLSClientConfig != nil && d.TLSClientConfig.InsecureSkipVerify {
		t.Error("http.DefaultTransport was made insecure")
	}
}
