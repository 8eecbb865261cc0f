package registry

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
)

// secrets remembers what must not be printed: a registry may send it back in an error's body.
type secrets struct {
	mu  sync.Mutex
	all map[string]bool
}

// shortest is the length below which a secret is not looked for: replacing it would garble every text.
const shortest = 4

func (s *secrets) add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]bool{}
	}
	for _, v := range values {
		if len(v) >= shortest {
			s.all[v] = true
		}
	}
}

// signed finds the query of a URL: signatures of blob storage are there.
var signed = regexp.MustCompile(`(https?://[^\s"?]+)\?[^\s"]*`)

// redact returns the text without known secrets and without the queries of URLs.
func (s *secrets) redact(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.all {
		text = strings.ReplaceAll(text, v, "[redacted]")
	}
	return signed.ReplaceAllString(text, "$1?[redacted]")
}

// note remembers the credentials of a request.
func (s *secrets) note(req *http.Request) {
	scheme, value, ok := strings.Cut(req.Header.Get("Authorization"), " ")
	if !ok {
		return
	}
	s.add(value)
	if raw, err := base64.StdEncoding.DecodeString(value); err == nil && strings.EqualFold(scheme, "basic") {
		_, password, _ := strings.Cut(string(raw), ":")
		s.add(password)
	}
}

// credentialError is a failure to find credentials, which must not pass for having none.
type credentialError struct {
	host string
	err  error
}

func (e *credentialError) Error() string {
	return fmt.Sprintf("credentials for %s: %v", e.host, e.err)
}

func (e *credentialError) Unwrap() error { return e.err }

// keychain finds credentials in another keychain, remembers them as secrets and says whose fault a failure is.
type keychain struct {
	inner   authn.Keychain
	secrets *secrets
}

// Resolve implements authn.Keychain.
func (k *keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (k *keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	auth, err := authn.Resolve(ctx, k.inner, target)
	if err != nil {
		return nil, &credentialError{target.RegistryStr(), err}
	}
	if auth == authn.Anonymous {
		return auth, nil // ggcr compares with it
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return nil, &credentialError{target.RegistryStr(), err}
	}
	k.secrets.add(config.Password, config.Auth, config.IdentityToken, config.RegistryToken)
	return auth, nil
}
