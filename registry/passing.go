package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/pexko/pexko/internal/cas"
)

// passingStatus tells statuses that another try may change; 499, 520 to 524 are those of proxies.
func passingStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout, 499, 520, 521, 522, 523, 524:
		return true
	}
	return false
}

// passing tells errors of the connection that another try may change. What is known to stay is listed, not
// what may pass: HTTP/2 and proxies have too many ways to break off.
func passing(err error, answered bool) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError // plain HTTP where TLS was tried: the caller tries the other
	var dns *net.DNSError
	var dial *net.OpError
	var local *localError
	var store *cas.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &certificate), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return false
	case errors.As(err, &local), errors.As(err, &store), errors.Is(err, syscall.ENOSPC):
		return false
	case errors.As(err, &dns):
		return dns.IsTemporary && !dns.IsNotFound
	case errors.As(err, &dial) && dial.Op == "dial":
		return answered
	}
	return true
}

// isUpload tells requests that carry a blob, whose state in the registry is unknown after a failure.
func isUpload(req *http.Request) bool {
	switch req.Method {
	case http.MethodPatch:
		return true
	case http.MethodPut:
		return !strings.Contains(req.URL.Path, "/manifests/")
	}
	return false
}

// uploadInterrupted tells ggcr's upload of a blob to begin anew: with a HEAD, since it may have succeeded
// after all. Our transport has waited by then.
func uploadInterrupted(err error) bool {
	var answer *transport.Error
	if errors.As(err, &answer) {
		if answer.Request == nil || !isUpload(answer.Request) {
			return false
		}
		lost := answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusRequestedRangeNotSatisfiable
		return lost || passingStatus(answer.StatusCode)
	}
	var failed *url.Error
	return errors.As(err, &failed) && (failed.Op == "Patch" || failed.Op == "Put" && !strings.Contains(failed.URL, "/manifests/")) && passing(err, true)
}

// localError is a failure to read what is to be sent, which no retry helps.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }
