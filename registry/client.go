package registry

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/authn/github"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/google"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/pexko/pexko/internal/cas"
)

// Options configure a Client. The zero value is right but for Store.
type Options struct {
	// Store keeps what is pulled. Without one each reading of a layer fetches it, and Docker archives cannot be read.
	Store *cas.Store
	// Insecure accepts any TLS certificate, and plain HTTP. Loopback hosts may speak plain HTTP anyway.
	Insecure bool
	// Keychain finds credentials; nil is what docker, podman, gcloud and GitHub Actions have on this machine.
	Keychain authn.Keychain
	// Transport carries the requests; nil is a transport of the client's own that honours HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// UserAgent is sent with each request: "pexko/1.2.3".
	UserAgent string
	// Jobs is how many blobs are moved side by side; 0 is 4.
	Jobs int
	// Progress is told what happens. It is called by several goroutines at once and must return soon.
	Progress func(Event)
}

// Event is a step of a transfer.
type Event struct {
	Kind EventKind
	// Name is the repository of a blob, the reference of a tag, the host that we wait for.
	Name string
	// Digest is that of the blob or manifest.
	Digest v1.Hash
	// Done of Size bytes are through. Done may go back, when a transfer starts again.
	Done, Size int64
	// Wait is how long we wait, and Reason why.
	Wait   time.Duration
	Reason string
}

// EventKind says what an Event tells.
type EventKind uint8

// The events.
const (
	Downloading EventKind = iota + 1 // bytes of a blob came in; the last has Done == Size
	Uploading                        // bytes of a blob went out
	Uploaded                         // the registry has taken the blob
	Mounted                          // it has taken it from another of its repositories
	Existing                         // it had it
	Tagged                           // a manifest was put under its tag
	Waiting                          // a request failed, and is sent again after Wait
)

// Client talks to registries. It is safe for concurrent use and remembers, for its life, tokens, what it pushed
// and which blob lies in which repository.
type Client struct {
	o         Options
	secrets   *secrets
	keychain  authn.Keychain
	transport http.RoundTripper
	origins   origins
	flights   flights

	once   sync.Once
	puller *remote.Puller
	pusher *remote.Pusher
	err    error // of the two
}

// New returns a client.
func New(o Options) *Client {
	if o.Jobs <= 0 {
		o.Jobs = 4
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.Insecure)
	}
	if o.Keychain == nil {
		o.Keychain = authn.NewMultiKeychain(authn.DefaultKeychain, google.Keychain, github.Keychain)
	}
	c := &Client{o: o, secrets: &secrets{}}
	c.keychain = &keychain{inner: o.Keychain, secrets: c.secrets}
	c.transport = &wire{inner: &retrier{inner: o.Transport, secrets: c.secrets, progress: o.Progress}}
	return c
}

// newTransport is ggcr's, which allows for many connections to one host, without being that very one.
func newTransport(insecure bool) http.RoundTripper {
	shared, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		shared = http.DefaultTransport.(*http.Transport) //nolint:forcetypeassert // documented to be one
	}
	t := shared.Clone()
	if insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it
	}
	return t
}

// remote returns puller and pusher, which hold the tokens.
func (c *Client) remote() (*remote.Puller, *remote.Pusher, error) {
	c.once.Do(func() {
		options := []remote.Option{
			remote.WithTransport(c.transport), remote.WithAuthFromKeychain(c.keychain), remote.WithJobs(c.o.Jobs),
			remote.WithUserAgent(c.o.UserAgent),
			// Requests are retried by our transport. What is left to ggcr is to begin an interrupted upload anew.
			remote.WithRetryPredicate(uploadInterrupted), remote.WithRetryStatusCodes(),
			remote.WithRetryBackoff(remote.Backoff{Duration: time.Millisecond, Factor: 1, Steps: attempts}),
		}
		if c.puller, c.err = remote.NewPuller(options...); c.err == nil {
			c.pusher, c.err = remote.NewPusher(options...)
		}
	})
	return c.puller, c.pusher, c.err
}

// Parse reads a reference to a registry: [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], tag "latest" unless given.
func (c *Client) Parse(ref string) (name.Reference, error) {
	var options []name.Option
	if c.o.Insecure {
		options = append(options, name.Insecure)
	}
	parsed, err := name.ParseReference(ref, options...)
	if err != nil {
		return nil, fmt.Errorf("image reference %q: %w", ref, badReference(ref))
	}
	return parsed, nil
}

// badReference says what is wrong with a reference that does not parse, in a user's terms.
func badReference(ref string) error {
	switch {
	case strings.Contains(ref, "://"):
		return fmt.Errorf("leave out the scheme: registry.example/team/app:tag")
	case strings.ToLower(ref) != ref && !strings.Contains(ref, "@"):
		return fmt.Errorf("repository names are lower case: registry.example/team/app:tag")
	}
	return fmt.Errorf("want [HOST[:PORT]/]REPOSITORY[:TAG] or …@sha256:DIGEST")
}
