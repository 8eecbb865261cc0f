package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// resumable lets the body of a blob's download go on where a broken connection ended it.
func (t *retrier) resumable(req *http.Request, resp *http.Response) *http.Response {
	if resp == nil || req.Method != http.MethodGet || resp.StatusCode != http.StatusOK || resp.ContentLength <= 0 ||
		resp.Uncompressed || req.Header.Get("Range") != "" {
		return resp
	}
	resp.Body = &resumingBody{t: t, req: req, etag: resp.Header.Get("Etag"), size: resp.ContentLength, body: resp.Body}
	return resp
}

// resumingBody reads a response and asks for the rest (RFC 9110, 14.2) when it breaks off. What is
// joined that way is not trusted more than before: the caller verifies a digest.
type resumingBody struct {
	t     *retrier
	req   *http.Request
	etag  string
	size  int64
	done  int64
	stuck int // failures since the last byte
	body  io.ReadCloser
}

func (b *resumingBody) Read(p []byte) (int, error) {
	for {
		n, err := b.body.Read(p)
		b.done += int64(n)
		if n > 0 {
			b.stuck = 0
		}
		if err == nil || err == io.EOF && b.done == b.size {
			return n, err
		}
		if rerr := b.resume(err); rerr != nil {
			return n, rerr
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume replaces the body by the rest of it, or returns the error that broke it.
func (b *resumingBody) resume(broken error) error {
	if errors.Is(broken, io.EOF) {
		broken = io.ErrUnexpectedEOF
	}
	b.stuck++
	if b.stuck > attempts || b.done >= b.size || !passing(broken, true) || b.req.Context().Err() != nil {
		return broken
	}
	_ = b.body.Close()
	wait := backoff(min(b.stuck, attempts-1))
	b.t.progress(Event{Kind: Waiting, Name: b.req.URL.Host, Wait: wait, Reason: "download broke off: " + b.t.secrets.redact(broken.Error())})
	if err := sleep(b.req.Context(), wait); err != nil {
		return err
	}
	req := b.req.Clone(b.req.Context())
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-", b.done))
	if b.etag != "" && !strings.HasPrefix(b.etag, "W/") {
		req.Header.Set("If-Range", b.etag)
	}
	resp, err := b.t.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%w; %w", broken, err)
	}
	b.body = resp.Body
	return b.skip(resp, broken)
}

// skip brings a response to the place where the last one ended.
func (b *resumingBody) skip(resp *http.Response, broken error) error {
	switch {
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", b.done)):
		return nil
	case resp.StatusCode == http.StatusOK && resp.ContentLength == b.size:
		_, err := io.CopyN(io.Discard, resp.Body, b.done)
		return err
	}
	return fmt.Errorf("%w (and it cannot be continued: %s)", broken, resp.Status)
}

func (b *resumingBody) Close() error { return b.body.Close() }
