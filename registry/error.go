package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Reason says why a registry could not be used, for those who branch on it.
type Reason string

// The reasons. The empty one is none of these.
const (
	Unauthorized Reason = "unauthorized" // 401: no credentials, or wrong ones
	Denied       Reason = "denied"       // 403: known, but not allowed
	NotFound     Reason = "not found"    // no such image or repository
	RateLimited  Reason = "rate limited" // 429, for longer than we wait
	Unavailable  Reason = "unavailable"  // 5xx, also after retries
	UnknownHost  Reason = "unknown host" // the name does not resolve
	Unreachable  Reason = "unreachable"  // nobody answers
	Untrusted    Reason = "untrusted"    // TLS: certificate or protocol
	Credentials  Reason = "credentials"  // the credential helper or file does not work
)

// Error is what went wrong with one reference.
type Error struct {
	Op     string // "pull", "push"
	Ref    string // the reference, as the user would write it
	Reason Reason
	Err    error
	text   string // of Err, without secrets
	hint   string
}

// Error names operation, reference and cause. It holds no secret, also where Err does.
func (e *Error) Error() string { return e.Op + " " + e.Ref + ": " + e.text }

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do; "" when there is nothing to say.
func (e *Error) Hint() string { return e.hint }

// explain names the reference and the reason of an error, without the secrets that the client knows.
func (c *Client) explain(op, ref, host string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s %s: %w", op, ref, context.Canceled)
	}
	e := &Error{Op: op, Ref: ref, Err: err}
	e.Reason, e.text, e.hint = diagnose(op, host, err)
	if e.text == "" {
		e.text = err.Error()
	}
	e.text = c.secrets.redact(e.text)
	return e
}

// diagnose finds the reason, a text in place of the error's own ("" keeps it) and a hint.
func diagnose(op, host string, err error) (reason Reason, text, hint string) {
	var helper *credentialError
	var answer *transport.Error
	var refused *refusedWait
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &helper):
		return Credentials, "", fmt.Sprintf("repair or remove the entry for %s (credHelpers, credsStore, auths) in the docker configuration (~/.docker/config.json), or run: docker login %s", host, host)
	case errors.As(err, &refused):
		return RateLimited, "", "log in (anonymous limits are lower), or run it again later"
	case errors.As(err, &certificate): // before the answer: a loopback host is asked in plain HTTP as well, and answers nonsense
		return Untrusted, fmt.Sprintf("%s shows a certificate that is not trusted: %v", host, certificate.Err), "install its certificate authority on this machine, or accept any certificate with --insecure-registry"
	case errors.As(err, &answer):
		return fromStatus(op, host, answer)
	}
	return fromNetwork(host, err)
}

func fromStatus(op, host string, e *transport.Error) (reason Reason, text, hint string) {
	login := fmt.Sprintf("run: docker login %s (or podman login) with an account that may %s", host, op)
	switch {
	case e.StatusCode == http.StatusUnauthorized:
		return Unauthorized, fmt.Sprintf("%s wants credentials, or refuses those it got (401): %s", host, detail(e)), login
	case e.StatusCode == http.StatusForbidden && op == "push":
		return Denied, fmt.Sprintf("%s does not let this account push there (403): %s", host, detail(e)), login
	case e.StatusCode == http.StatusForbidden:
		return Denied, fmt.Sprintf("%s does not let this account pull from there (403): %s", host, detail(e)), login
	case e.StatusCode == http.StatusNotFound && op == "push":
		return NotFound, "", "some registries want the repository to be created first; check its name"
	case e.StatusCode == http.StatusNotFound:
		return NotFound, fmt.Sprintf("%s has no such image (404): %s", host, detail(e)), "check repository and tag; a private repository is not shown without a login"
	case e.StatusCode == http.StatusTooManyRequests:
		return RateLimited, "", "log in (anonymous limits are lower), or run it again later"
	case e.StatusCode >= http.StatusInternalServerError:
		return Unavailable, "", "the registry is in trouble; what was uploaded stays there, so run it again later"
	}
	return "", "", ""
}

// detail is what the registry says in its own words.
func detail(e *transport.Error) string {
	if len(e.Errors) == 0 {
		return http.StatusText(e.StatusCode)
	}
	return e.Errors[0].String()
}

func fromNetwork(host string, err error) (reason Reason, text, hint string) {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return UnknownHost, fmt.Sprintf("the host %s is not known (%s)", dns.Name, dns.Err), "check the reference's registry name, and the network"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return Untrusted, fmt.Sprintf("%s speaks plain HTTP", host), "allow that with --insecure-registry"
	case errors.Is(err, syscall.ECONNREFUSED):
		return Unreachable, fmt.Sprintf("nothing listens at %s (connection refused)", host), "check host and port, and that the registry runs"
	case errors.As(err, &op), errors.As(err, &timeout):
		return Unreachable, "", "check host and port, and the network (HTTPS_PROXY, NO_PROXY)"
	}
	return "", "", ""
}
