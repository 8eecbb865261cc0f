package testenv

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// IndexOptions: the zero value is an open index without faults.
type IndexOptions struct {
	User, Password string // if set, everything wants them as basic authentication
}

// IndexServer serves a directory of wheels and source distributions as a package index, after PEP 503
// (simple HTML pages), PEP 592 (a file NAME.yanked beside a file yanks it) and PEP 658 (METADATA of
// wheels). It counts what it is asked.
type IndexServer struct {
	URL string // "http://127.0.0.1:PORT/simple/": for --index-url

	dir     string
	options IndexOptions
	mu      sync.Mutex
	served  []string
	faults  map[string][]Fault
}

// Fault is what goes wrong instead of, or in, an answer. The zero value is no fault.
type Fault struct {
	Status  int         // answer this status and nothing else: 404, 429, 503
	Header  http.Header // with Status: its header, such as Retry-After
	Cut     int64       // end the connection after so many bytes of the body
	Corrupt bool        // turn around the last byte of the body: the size is right, the hash is not
	Times   int         // how many requests it meets; 0 means all
}

// Index starts an index over the files of dir on 127.0.0.1. It ends with the test.
func Index(t testing.TB, dir string, o IndexOptions) *IndexServer {
	t.Helper()
	if _, err := os.ReadDir(dir); err != nil {
		t.Fatal(err)
	}
	x := &IndexServer{dir: dir, options: o, faults: map[string][]Fault{}}
	server := httptest.NewServer(x)
	t.Cleanup(server.Close)
	x.URL = server.URL + "/simple/"
	return x
}

// AuthURL is URL with the name and password in it.
func (x *IndexServer) AuthURL() string {
	if x.options.User == "" {
		return x.URL
	}
	return strings.Replace(x.URL, "://", "://"+x.options.User+":"+x.options.Password+"@", 1)
}

// FileURL is the direct URL of a file, as a lock or a direct reference names it.
func (x *IndexServer) FileURL(name string) string {
	return strings.TrimSuffix(x.URL, "simple/") + "files/" + name
}

// Fail makes requests for a path meet a fault. path is a file's name ("idna-3.10-py3-none-any.whl", or
// with ".metadata"), or a project's normalised name for its page. Faults of one path are met in turn.
func (x *IndexServer) Fail(path string, f Fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.faults[path] = append(x.faults[path], f)
}

// Requests returns every request so far, in order, as "GET idna" for a project's page (GET "" is the
// list of projects) and "GET idna-3.10-py3-none-any.whl" for a file; refused and failed ones too.
func (x *IndexServer) Requests() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string(nil), x.served...)
}

// Count tells how often a path, as in Fail, was asked for with GET.
func (x *IndexServer) Count(path string) int {
	n := 0
	for _, r := range x.Requests() {
		if r == "GET "+path {
			n++
		}
	}
	return n
}

// Reset forgets the requests; faults stay.
func (x *IndexServer) Reset() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.served = nil
}

// ServeHTTP answers /simple/, /simple/PROJECT/ and /files/NAME.
func (x *IndexServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, isPage := strings.CutPrefix(r.URL.Path, "/simple/")
	file, isFile := strings.CutPrefix(r.URL.Path, "/files/")
	path := strings.TrimSuffix(page, "/")
	if isFile {
		path = file
	}
	w, done := x.meet(w, r.Method+" "+path, path)
	defer done()
	switch {
	case w == nil: // the fault has answered
	case !x.admits(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="index"`)
		http.Error(w, "a name and password are wanted", http.StatusUnauthorized)
	case isPage && path != "" && (path != normalize(path) || !strings.HasSuffix(page, "/")):
		http.Redirect(w, r, "/simple/"+normalize(path)+"/", http.StatusMovedPermanently)
	case isPage:
		x.page(w, r, path)
	case isFile && file == filepath.Base(file):
		x.file(w, r, file)
	default:
		http.NotFound(w, r)
	}
}

func (x *IndexServer) admits(r *http.Request) bool {
	if x.options.User == "" {
		return true
	}
	user, password, _ := r.BasicAuth()
	return user == x.options.User && password == x.options.Password
}
