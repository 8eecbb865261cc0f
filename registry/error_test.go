package registry

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-containerregistry/pkg/authn"
)

// keys is a keychain of one answer.
type keys struct {
	auth authn.Authenticator
	err  error
}

func (k keys) Resolve(authn.Resource) (authn.Authenticator, error) { return k.auth, k.err }

func TestCheckPushFindsOutBeforehand(t *testing.T) {
	denied := func(code int, words string) func(*http.Request) (*http.Response, error) {
		return first(1<<30, "POST", "/blobs/uploads/", func(req *http.Request) (*http.Response, error) {
			return reply(req, code, `{"errors":[{"code":"`+words+`","message":"no"}]}`), nil
		})
	}
	for name, c := range map[string]struct {
		fault  func(*http.Request) (*http.Response, error)
		reason Reason
		text   string
		hint   string
	}{
		"401":          {denied(401, "UNAUTHORIZED"), Unauthorized, "wants credentials, or refuses those it got (401): UNAUTHORIZED: no", "docker login registry.example"},
		"403":          {denied(403, "DENIED"), Denied, "does not let this account push there (403): DENIED: no", "docker login registry.example"},
		"404":          {denied(404, "NAME_UNKNOWN"), NotFound, "NAME_UNKNOWN", "created first"},
		"unknown host": {fails(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "registry.example", Err: "no such host", IsNotFound: true}}), UnknownHost, "the host registry.example is not known", "registry name"},
		"refused":      {fails(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), Unreachable, "nothing listens at registry.example", "host and port"},
		"unreachable":  {fails(&net.OpError{Op: "dial", Err: syscall.ENETUNREACH}), Unreachable, "network is unreachable", "HTTPS_PROXY"},
		"certificate":  {fails(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), Untrusted, "unknown authority", "--insecure-registry"},
		"plain HTTP":   {fails(http.ErrSchemeMismatch), Untrusted, "speaks plain HTTP", "--insecure-registry"},
		"fine":         {},
	} {
		f := newFake()
		f.set(c.fault)
		err := f.client(t, nil).CheckPush(t.Context(), refs(t, "registry.example/app:1", "registry.example/app:2"))
		if c.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := f.requests(); count(got, "POST", "/v2/app/blobs/uploads/") != 1 || count(got, "DELETE", "/v2/app/blobs/uploads/") != 1 {
				t.Errorf("%s: %v", name, got)
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(err.Error(), c.text) || !strings.Contains(hint(err), c.hint) {
			t.Errorf("%s: %v\nhint %q", name, err, hint(err))
		}
		if !strings.HasPrefix(err.Error(), "push registry.example/app:1: ") {
			t.Errorf("%s: %v does not name the reference", name, err)
		}
	}
}

func TestCheckPushNamesEveryTarget(t *testing.T) {
	f := newFake()
	f.set(first(1<<30, "POST", "", status(403)))
	err := f.client(t, nil).CheckPush(t.Context(), refs(t, "a.example/x", "b.example/y:2"))
	for _, want := range []string{"push a.example/x: ", "push b.example/y:2: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestPullErrors(t *testing.T) {
	c := newFake().client(t, store(t))
	_, _, err := c.Pull(t.Context(), "registry.example/none:1")
	var e *Error
	if !errors.As(err, &e) || e.Reason != NotFound || !strings.Contains(err.Error(), "pull registry.example/none:1: registry.example has no such image (404)") {
		t.Error(err)
	}
	for ref, want := range map[string]string{
		"https://registry.example/app": "leave out the scheme", "registry.example/App": "lower case", "a b": "want [HOST[:PORT]/]REPOSITORY",
		"/nonexistent/layout:1": "file does not exist", "oci:nowhere": "oci:nowhere: file does not exist", "./x": "./x: file does not exist",
	} {
		if _, _, err := c.Pull(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", ref, err, want)
		}
	}
}

// A helper that fails must not pass for having no credentials: the 401 that follows would mislead.
func TestACredentialHelperIsNotSwallowed(t *testing.T) {
	f := newFake()
	c := New(Options{Transport: f, Store: store(t), Keychain: keys{err: errors.New("docker-credential-desktop: executable file not found")}})
	check := c.CheckPush(t.Context(), refs(t, "registry.example/app"))
	_, push := c.Push(t.Context(), refs(t, "registry.example/app"), Artifact{Image: image(t, 1)})
	_, _, pull := c.Pull(t.Context(), "registry.example/app")
	for op, err := range map[string]error{"check": check, "push": push, "pull": pull} {
		var e *Error
		if !errors.As(err, &e) || e.Reason != Credentials || !strings.Contains(err.Error(), "docker-credential-desktop") || !strings.Contains(hint(err), "credsStore") {
			t.Errorf("%s: %v\nhint %q", op, err, hint(err))
		}
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	const password, token, refresh = "hunter2-password", "token-of-the-registry", "refresh-of-the-registry"
	basic := base64.StdEncoding.EncodeToString([]byte("me:" + password))
	f := newFake()
	seen := 0
	f.set(func(req *http.Request) (*http.Response, error) {
		seen += strings.Count(req.Header.Get("Authorization"), basic) + strings.Count(req.Header.Get("Authorization"), token)
		switch {
		case req.URL.Path == "/v2/":
			return reply(req, 401, "", `WWW-Authenticate: Bearer realm="https://registry.example/token",service="s"`), nil
		case req.URL.Path == "/token":
			return reply(req, 200, `{"token":"`+token+`","refresh_token":"`+refresh+`"}`), nil
		}
		// A registry that echoes what it got, and a proxy that quotes the URL.
		return reply(req, 403, `{"errors":[{"code":"DENIED","message":"bad `+req.Header.Get("Authorization")+` for me:`+password+` at https://blobs.example/x?X-Amz-Signature=s3cr3t"}]}`), nil
	})
	var told []string
	c := New(Options{Transport: f, Store: store(t), Keychain: keys{auth: authn.FromConfig(authn.AuthConfig{Username: "me", Password: password})}, Progress: func(e Event) { told = append(told, e.Reason) }})
	check := c.CheckPush(t.Context(), refs(t, "registry.example/app"))
	_, push := c.Push(t.Context(), refs(t, "registry.example/app"), Artifact{Image: image(t, 1)})
	_, _, pull := c.Pull(t.Context(), "registry.example/app")
	if seen < 4 {
		t.Fatalf("credentials were sent %d times", seen)
	}
	for _, err := range []error{check, push, pull} {
		if err == nil {
			t.Fatal("no error")
		}
		for _, secret := range []string{password, basic, token, refresh, "s3cr3t"} {
			if text := err.Error() + hint(err) + strings.Join(told, ""); strings.Contains(text, secret) {
				t.Errorf("%q is in: %s", secret, text)
			}
		}
	}
}

// The signed URL to which a registry sends a download is not shown when that fails.
func TestErrorsHoldNoSignedURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		push(t, f.client(t, nil), Artifact{Image: image(t, 1)}, "registry.example/app:1")
		f.set(func(req *http.Request) (*http.Response, error) {
			switch {
			case req.URL.Host == "storage.example":
				return nil, syscall.ECONNRESET
			case strings.Contains(req.URL.Path, "/blobs/"):
				return reply(req, 307, "", "Location: https://storage.example/x?X-Amz-Signature=s3cr3t"), nil
			}
			return nil, nil
		})
		var told []string
		c := New(Options{Transport: f, Store: store(t), Keychain: anonymous{}, Progress: func(e Event) { told = append(told, e.Reason) }})
		_, img, err := c.Pull(t.Context(), "registry.example/app:1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = img.RawConfigFile()
		if err == nil || !strings.Contains(err.Error(), "storage.example") || strings.Contains(err.Error()+strings.Join(told, ""), "s3cr3t") {
			t.Errorf("%v; %v", err, told)
		}
	})
}
