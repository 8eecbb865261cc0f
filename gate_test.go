package pexko_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// proxy stands before a server, remembers what it is asked, and can hold requests.
type proxy struct {
	host string // 127.0.0.1:PORT

	mu       sync.Mutex
	requests []string
	held     func(*http.Request) bool
	reach    func()
	opened   chan struct{}
}

// newProxy starts a proxy before the server at host.
func newProxy(t *testing.T, host string) *proxy {
	t.Helper()
	p := &proxy{}
	to := &url.URL{Scheme: "http", Host: host}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // registries make the addresses of uploads of it
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.admits(r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p.host = strings.TrimPrefix(server.URL, "http://")
	return p
}

// admits notes a request; one that is to be held it keeps until the client is gone, or the gate is opened: of a request
// with a body that nobody reads the server does not learn that the client is gone.
func (p *proxy) admits(r *http.Request) bool {
	p.mu.Lock()
	p.requests = append(p.requests, r.Method+" "+r.URL.Path)
	held, reach, opened := p.held != nil && p.held(r), p.reach, p.opened
	p.mu.Unlock()
	if held {
		reach()
		select {
		case <-r.Context().Done():
		case <-opened:
		}
	}
	return !held
}

// shut holds requests whose method and path these are, the latter in part, and calls reach for each.
func (p *proxy) shut(method, path string, reach func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = func(r *http.Request) bool { return r.Method == method && strings.Contains(r.URL.Path, path) }
	p.reach, p.opened = reach, make(chan struct{})
}

// open holds nothing any more.
func (p *proxy) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.opened)
	}
	p.held = nil
}

// reset forgets the requests.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

// matching are the requests that hold all the words.
func (p *proxy) matching(words ...string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.requests), func(r string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r, w) })
	})
}
