package registry

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// attempts is how often a request is sent, and an upload begun.
	attempts = 5
	// firstWait is doubled with each failure of a host in a row; a random half of it is taken off, so that clients part.
	firstWait = 500 * time.Millisecond
	// longestWait is the most that Retry-After is obeyed; a registry that asks for more gets no request at all.
	longestWait = 5 * time.Minute
	// maxDrained is how much of a failed response is read, so that its connection can be used again.
	maxDrained = 64 << 10
)

// retrier is a transport that sends a request again when that may help: after 408, 429 and 5xx, and after
// errors of the connection. It waits as Retry-After says, else longer and longer, and while one request
// waits because a host asked for it, no other is sent there.
//
// The body of an upload is sent again only where the registry said that it has not looked at it (429);
// otherwise it has to be begun anew, which is the caller's: see uploadInterrupted.
type retrier struct {
	inner    http.RoundTripper
	secrets  *secrets
	progress func(Event)
	hosts    sync.Map // host -> *host
}

// RoundTrip implements http.RoundTripper.
func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	t.secrets.note(req)
	known, _ := t.hosts.LoadOrStore(req.URL.Host, &host{})
	h := known.(*host) //nolint:forcetypeassert // nothing else is stored
	for attempt := 1; ; attempt++ {
		if err := h.wait(req.Context()); err != nil {
			closeBody(req)
			return nil, err
		}
		resp, err := t.inner.RoundTrip(req)
		v := judge(req, resp, err, h.answers(resp))
		if v.reason == "" || attempt == attempts {
			h.well()
			return t.resumable(req, resp), err
		}
		if werr := t.pause(req, h, v); werr != nil {
			drain(resp)
			return nil, werr
		}
		next, ok := again(req)
		if !v.again || !ok {
			return resp, err
		}
		drain(resp)
		req = next
	}
}

// pause waits before a request is sent again, or the failed upload is returned to be begun anew.
func (t *retrier) pause(req *http.Request, h *host, v verdict) error {
	if v.refused != nil {
		return v.refused
	}
	wait := backoff(h.failed())
	if v.hold {
		wait = v.wait
		h.hold(wait)
	}
	t.progress(Event{Kind: Waiting, Name: req.URL.Host, Wait: wait, Reason: t.secrets.redact(v.reason)})
	return sleep(req.Context(), wait)
}

// verdict is what to do after a request.
type verdict struct {
	reason  string        // why it failed in a way that may pass; "" if it did not
	again   bool          // send it again
	hold    bool          // the host asked for wait
	wait    time.Duration // if hold
	refused error         // give up at once
}

// judge looks at the outcome. A host that has never answered is given up at once: its name is wrong, or it is down.
func judge(req *http.Request, resp *http.Response, err error, answered bool) verdict {
	if err != nil {
		if !passing(err, answered) || req.Context().Err() != nil {
			return verdict{}
		}
		return verdict{reason: err.Error(), again: !isUpload(req)}
	}
	if !passingStatus(resp.StatusCode) {
		return verdict{}
	}
	v := verdict{reason: resp.Status, again: !isUpload(req) || resp.StatusCode == http.StatusTooManyRequests}
	if wait, ok := retryAfter(resp); ok {
		v.hold, v.wait = true, wait
		if wait > longestWait {
			v.refused = &refusedWait{host: req.URL.Host, status: resp.Status, wait: wait}
		}
	}
	return v
}

// refusedWait is a Retry-After that is too long to obey.
type refusedWait struct {
	host, status string
	wait         time.Duration
}

func (e *refusedWait) Error() string {
	return fmt.Sprintf("%s answers %s and asks to come back in %v", e.host, e.status, e.wait)
}

// retryAfter reads the header (RFC 9110, 10.2.3): seconds, or a date, which is compared with the response's
// own, so that clocks need not agree.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return max(0, until.Sub(now)), true
}

// backoff is half to all of 0.5, 1, 2, 4 s after 1, 2, 3, 4 failures.
func backoff(failures int) time.Duration {
	d := firstWait << (failures - 1)
	return d/2 + rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again returns the request with a fresh body, if it can be had.
func again(req *http.Request) (*http.Request, bool) {
	next := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return next, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	next.Body = body
	return next, err == nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

func drain(resp *http.Response) {
	if resp != nil {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
		_ = resp.Body.Close()
	}
}
