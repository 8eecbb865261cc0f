package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// first lets the first n requests of a kind fail.
func first(n int32, method, path string, fault func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	var seen atomic.Int32
	return func(req *http.Request) (*http.Response, error) {
		if req.Method == method && strings.Contains(req.URL.Path, path) && seen.Add(1) <= n {
			return fault(req)
		}
		return nil, nil
	}
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return reply(req, code, `{"errors":[{"code":"UNKNOWN","message":"out of order"}]}`, header...), nil
	}
}

func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// cut takes some of the body and breaks off.
func cut(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.CopyN(io.Discard, req.Body, 1000)
	}
	return nil, io.ErrUnexpectedEOF
}

// Whatever of a push fails, once or thrice, and in whatever way may pass: the push succeeds, and waits longer than no time.
func TestAPushOutlivesFaults(t *testing.T) {
	faults := map[string]func(*http.Request) (*http.Response, error){
		"500": status(500), "502": status(502), "503": status(503), "429": status(429), "reset": fails(syscall.ECONNRESET), "cut": cut,
		"HTTP/2": fails(errors.New("stream error: stream ID 5; INTERNAL_ERROR; received from peer")),
	}
	places := map[string][2]string{
		"ping": {"GET", "/v2/"}, "manifest HEAD": {"HEAD", "/manifests/"}, "blob HEAD": {"HEAD", "/blobs/"}, "start": {"POST", "/blobs/uploads/"},
		"content": {"PATCH", "/blobs/uploads/"}, "commit": {"PUT", "/blobs/uploads/"}, "manifest": {"PUT", "/manifests/"},
	}
	for fault, do := range faults {
		for place, at := range places {
			for _, n := range []int32{1, 3} {
				t.Run(fmt.Sprint(fault, " ", place, " ", n), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						f, start := newFake(), time.Now()
						f.set(first(n, at[0], at[1], do))
						p := push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
						if p.Uploaded+p.Existed != 3 {
							t.Errorf("%+v", p)
						}
						if waited := time.Since(start); waited < firstWait/2 || waited > time.Minute {
							t.Errorf("waited %v", waited)
						}
					})
				})
			}
		}
	}
}

// A commit whose answer was lost has happened: it is found, not sent again.
func TestALostAnswerToACommitIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		var lost atomic.Bool
		f.after = func(req *http.Request, resp *http.Response) {
			if req.Method == http.MethodPut && req.URL.Query().Has("digest") && lost.CompareAndSwap(false, true) {
				*resp = *reply(req, 504, "")
			}
		}
		p := push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
		if p.Existed != 1 || p.Uploaded != 2 || count(f.requests(), "PATCH", "") != 3 {
			t.Errorf("%+v", p)
		}
	})
}

func TestRetryAfterIsHonouredByAllRequests(t *testing.T) {
	for name, header := range map[string][]string{
		"seconds": {"Retry-After: 30"},
		"date":    {"Retry-After: Wed, 21 Oct 2026 07:28:30 GMT", "Date: Wed, 21 Oct 2026 07:28:00 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				var until atomic.Pointer[time.Time]
				var early atomic.Int32
				once := first(1, "HEAD", "/blobs/", status(429, header...))
				f.set(func(req *http.Request) (*http.Response, error) {
					if u := until.Load(); u != nil && time.Now().Before(*u) {
						early.Add(1)
					}
					resp, err := once(req)
					if resp != nil {
						u := time.Now().Add(30 * time.Second)
						until.Store(&u)
					}
					return resp, err
				})
				var waits []Event
				c := New(Options{Transport: f, Keychain: anonymous{}, Jobs: 1, Progress: func(e Event) {
					if e.Kind == Waiting {
						waits = append(waits, e)
					}
				}})
				start := time.Now()
				push(t, c, Artifact{Image: image(t, 1)}, "registry.example/app:1")
				if waited := time.Since(start); waited < 30*time.Second || waited > 31*time.Second {
					t.Errorf("waited %v", waited)
				}
				if early.Load() != 0 {
					t.Errorf("%d requests while the registry wanted none", early.Load())
				}
				want := []Event{{Kind: Waiting, Name: "registry.example", Wait: 30 * time.Second, Reason: "429 Too Many Requests"}}
				if diff := cmp.Diff(want, waits); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// An upload that is refused with Retry-After is begun anew when the time is over, not after ggcr's own second.
func TestRetryAfterOfAnUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.set(first(1, "PATCH", "", status(503, "Retry-After: 20")))
		start := time.Now()
		push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
		if waited := time.Since(start); waited < 20*time.Second || waited > 21*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestAnHourIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.set(status(429, "Retry-After: 3600"))
		start := time.Now()
		_, _, err := f.client(t, store(t)).Pull(t.Context(), "registry.example/app:1")
		if err == nil || !strings.Contains(err.Error(), "asks to come back in 1h0m0s") || !strings.Contains(hint(err), "log in") {
			t.Errorf("%v; hint %q", err, hint(err))
		}
		if time.Since(start) > time.Second {
			t.Errorf("waited %v", time.Since(start))
		}
	})
}

func TestWhatStaysBrokenEnds(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		requests     int
	}{
		"manifest": {"HEAD", "/manifests/", attempts},
		"content":  {"PATCH", "/", 3 * attempts}, // layers and configuration side by side
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.set(first(1<<30, c.method, c.path, status(503)))
				_, err := f.client(t, nil).Push(t.Context(), refs(t, "registry.example/app:1"), Artifact{Image: image(t, 1)})
				var e *Error
				if !errors.As(err, &e) || e.Reason != Unavailable {
					t.Errorf("%v", err)
				}
				if n := count(f.requests(), c.method, c.path); n > c.requests {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// What will not change is not tried twice.
func TestNoRetryWhereItDoesNotHelp(t *testing.T) {
	for name, err := range map[string]error{
		"unknown host": &net.OpError{Op: "dial", Err: &net.DNSError{Name: "registry.example", Err: "no such host", IsNotFound: true}},
		"nobody there": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"certificate":  &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"plain HTTP":   http.ErrSchemeMismatch,
		"cancelled":    context.Canceled,
	} {
		f := newFake()
		f.set(fails(err))
		_, _, perr := f.client(t, store(t)).Pull(t.Context(), "registry.example/app:1")
		if !errors.Is(perr, err) && name != "cancelled" {
			t.Errorf("%s: %v", name, perr)
		}
		if n := len(f.log); n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

// A registry that restarts during a push is waited for; one that never answered is not there.
func TestARestartIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.set(first(3, "HEAD", "/blobs/", fails(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})))
		push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
	})
}

func TestCancelEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.set(status(503, "Retry-After: 200"))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := f.client(t, nil).Push(ctx, refs(t, "registry.example/app:1"), Artifact{Image: image(t, 1)})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
