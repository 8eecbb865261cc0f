package registry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// CheckPush finds out whether all the references can be pushed to, before anything is built for them. It begins
// an upload in each repository and cancels it: a token alone says little, since some registries give one to
// anybody. All failures are reported, joined.
func (c *Client) CheckPush(ctx context.Context, refs []name.Reference) error {
	groups := byRepository(refs)
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		wg.Go(func() {
			ref := group[0]
			errs[i] = c.explain("push", ref.String(), ref.Context().RegistryStr(), c.checkPush(ctx, ref.Context()))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (c *Client) checkPush(ctx context.Context, repo name.Repository) error {
	auth, err := authn.Resolve(ctx, c.keychain, repo)
	if err != nil {
		return err
	}
	t, err := transport.NewWithContext(ctx, repo.Registry, auth, c.transport, []string{repo.Scope(transport.PushScope)})
	if err != nil {
		return err
	}
	client := &http.Client{Transport: t}
	begin := url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: "/v2/" + repo.RepositoryStr() + "/blobs/uploads/"}
	resp, err := send(ctx, client, http.MethodPost, begin.String())
	if err != nil {
		return err
	}
	defer drain(resp)
	if err := transport.CheckError(resp, http.StatusAccepted, http.StatusCreated); err != nil {
		return err
	}
	if location, err := resp.Location(); err == nil && location.Host == resp.Request.URL.Host {
		if resp, err := send(ctx, client, http.MethodDelete, location.String()); err == nil {
			drain(resp) // a registry that cannot cancel forgets uploads by itself
		}
	}
	return nil
}

func send(ctx context.Context, client *http.Client, method, to string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, http.NoBody)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}
