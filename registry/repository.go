package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// repository is the content of a repository of a registry. What is read once lies in the store from then on.
type repository struct {
	c    *Client
	name name.Repository
}

// pullRemote resolves the reference. A digest whose manifest is in the store needs no registry.
func (c *Client) pullRemote(ctx context.Context, ref name.Reference) (v1.ImageIndex, v1.Image, error) {
	from := &repository{c, ref.Context()}
	if d, ok := c.stored(ref); ok {
		return pulled(ctx, from, d)
	}
	puller, _, err := c.remote()
	if err != nil {
		return nil, nil, err
	}
	got, err := puller.Get(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	d := v1.Descriptor{MediaType: got.MediaType, Digest: got.Digest, Size: got.Size}
	if err := c.keep(d, got.Manifest); err != nil {
		return nil, nil, err
	}
	return pulled(ctx, from, d)
}

// offers remembers where layers are from, so that a push can mount them, also those that the store has.
func (r *repository) offers(layers []v1.Descriptor) {
	for _, d := range layers {
		r.c.origins.add(r.name, d.Digest)
	}
}

// mediaTypes is the space of the store that keeps the media types of manifests: the bytes need not tell.
const mediaTypes = "manifest"

// stored finds the descriptor of a digest reference whose manifest is in the store.
func (c *Client) stored(ref name.Reference) (v1.Descriptor, bool) {
	digest, ok := ref.(name.Digest)
	if !ok || c.o.Store == nil {
		return v1.Descriptor{}, false
	}
	h, err := v1.NewHash(digest.DigestStr())
	if err != nil {
		return v1.Descriptor{}, false
	}
	raw, ok, err := c.o.Store.Get(mediaTypes, h.String())
	if err != nil || !ok {
		return v1.Descriptor{}, false
	}
	d := v1.Descriptor{Digest: h}
	r, size, err := c.o.Store.OpenBlob(h.Hex)
	if err != nil {
		return d, false
	}
	_ = r.Close()
	d.MediaType, d.Size = types.MediaType(raw), size
	return d, true
}

// keep puts a manifest into the store.
func (c *Client) keep(d v1.Descriptor, manifest []byte) error {
	if c.o.Store == nil {
		return nil
	}
	if err := c.save(io.NopCloser(bytes.NewReader(manifest)), d); err != nil {
		return err
	}
	return c.o.Store.Put(mediaTypes, d.Digest.String(), []byte(d.MediaType))
}

func (r *repository) open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if r.c.o.Store == nil {
		got, err := r.fetch(ctx, d)
		if err != nil {
			return nil, r.explain(err)
		}
		return verified(got, d), nil
	}
	defer r.c.flights.enter(d.Digest)()
	got, err := r.c.cached(d)
	if !errors.Is(err, fs.ErrNotExist) {
		return got, err
	}
	if err := r.download(ctx, d); err != nil {
		return nil, r.explain(err)
	}
	return r.c.cached(d)
}

func (r *repository) explain(err error) error {
	return r.c.explain("pull", r.name.String(), r.name.RegistryStr(), err)
}

// cached opens content that the store has; else the error is fs.ErrNotExist.
func (c *Client) cached(d v1.Descriptor) (io.ReadCloser, error) {
	r, size, err := c.o.Store.OpenBlob(d.Digest.Hex)
	if err != nil {
		return nil, err
	}
	if size != d.Size { // a manifest that lies about a size of content that is there
		_ = r.Close()
		return nil, fs.ErrNotExist
	}
	return r, nil
}

// download brings content into the store. The transport continues what breaks off; where that is not
// possible (a signed URL that expired), it begins anew.
func (r *repository) download(ctx context.Context, d v1.Descriptor) error {
	for attempt := 1; ; attempt++ {
		got, err := r.fetch(ctx, d)
		if err != nil {
			return err
		}
		err = r.c.save(r.c.watch(got, Downloading, r.name.String(), d), d)
		if err == nil || attempt == attempts || !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
	}
}

// fetch asks the registry.
func (r *repository) fetch(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	puller, _, err := r.c.remote()
	if err != nil {
		return nil, err
	}
	ref := r.name.Digest(d.Digest.String())
	if d.MediaType.IsIndex() || d.MediaType.IsImage() {
		got, err := puller.Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(got.Manifest)), nil
	}
	layer, err := puller.Layer(ctx, ref)
	if err != nil {
		return nil, err
	}
	return layer.Compressed()
}

// save writes content to the store, and closes it; what has not the digest and size is not kept.
func (c *Client) save(r io.ReadCloser, d v1.Descriptor) error {
	defer r.Close()
	w, err := c.o.Store.Create()
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, verified(r, d)); err != nil {
		return err
	}
	_, err = w.Commit()
	return err
}

// flights lets one goroutine at a time fetch a digest; the others find it in the store.
type flights struct {
	mu  sync.Mutex
	all map[v1.Hash]*flight
}

type flight struct {
	sync.Mutex
	waiting int
}

// enter returns when nobody else is in; the caller calls what it returns when it is done.
func (f *flights) enter(h v1.Hash) (leave func()) {
	f.mu.Lock()
	if f.all == nil {
		f.all = map[v1.Hash]*flight{}
	}
	one := f.all[h]
	if one == nil {
		one = &flight{}
		f.all[h] = one
	}
	one.waiting++
	f.mu.Unlock()
	one.Lock()
	return func() {
		one.Unlock()
		f.mu.Lock()
		defer f.mu.Unlock()
		if one.waiting--; one.waiting == 0 {
			delete(f.all, h)
		}
	}
}
