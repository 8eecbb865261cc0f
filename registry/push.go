package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Pushed is what a push came to.
type Pushed struct {
	Digest v1.Hash
	// Uploaded, Mounted and Existed count blobs: sent, taken over from another repository of the registry, found
	// there. All are 0 when no manifest had changed, since nobody asked for blobs then.
	Uploaded, Mounted, Existed int
	// Bytes are those of the blobs that were sent.
	Bytes int64
}

// Push makes the references name the artifact. All that a manifest needs is there before the manifest is, and
// all of that in every repository before the first tag; references to one repository share one upload. An error
// before the tags leaves them as they were. Tags are set one after another: an error at one leaves those before it set.
func (c *Client) Push(ctx context.Context, refs []name.Reference, what Artifact) (Pushed, error) {
	var total Pushed
	digest, err := what.Digest()
	if err != nil {
		return total, err
	}
	if len(refs) == 0 {
		return total, errors.New("push: no reference to push to")
	}
	total.Digest = digest
	groups := byRepository(refs)
	if len(groups) > 1 {
		for _, group := range groups {
			repo := group[0].Context()
			if err := c.pushGroup(ctx, []name.Reference{repo.Digest(digest.String())}, what, &total); err != nil {
				return total, err
			}
		}
	}
	for _, group := range groups {
		if err := c.pushGroup(ctx, group, what, &total); err != nil {
			return total, err
		}
	}
	return total, nil
}

// byRepository divides references into those of one repository each, in order.
func byRepository(refs []name.Reference) [][]name.Reference {
	var groups [][]name.Reference
	at := map[string]int{}
	for _, ref := range refs {
		repo := ref.Context().Name()
		i, ok := at[repo]
		if !ok {
			i = len(groups)
			at[repo], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], ref)
	}
	return groups
}

// pushGroup pushes to the references of one repository.
func (c *Client) pushGroup(ctx context.Context, refs []name.Reference, what Artifact, total *Pushed) error {
	_, pusher, err := c.remote()
	if err != nil {
		return err
	}
	repo := refs[0].Context()
	blobs, err := what.blobs()
	if err != nil {
		return fmt.Errorf("push %s: %w", refs[0], err)
	}
	sizes := map[v1.Hash]int64{}
	for _, b := range blobs {
		sizes[b.Digest] = b.Size
	}
	counted, tally := withTally(ctx, func(h v1.Hash, o outcome) {
		kinds := map[outcome]EventKind{existed: Existing, mounted: Mounted, uploaded: Uploaded}
		c.o.Progress(Event{Kind: kinds[o], Name: repo.String(), Digest: h, Size: sizes[h], Done: sizes[h]})
	})
	for _, ref := range refs {
		if err := pusher.Push(counted, ref, c.pushable(what, repo)); err != nil {
			return c.explain("push", ref.String(), repo.RegistryStr(), err)
		}
		if _, ok := ref.(name.Tag); ok {
			c.o.Progress(Event{Kind: Tagged, Name: ref.String(), Digest: total.Digest})
		}
	}
	for _, b := range blobs {
		c.origins.add(repo, b.Digest)
	}
	tally.sum(total, sizes)
	return nil
}

// sum adds the outcomes of the blobs.
func (t *tally) sum(total *Pushed, sizes map[v1.Hash]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for h, o := range t.blobs {
		switch o {
		case existed:
			total.Existed++
		case mounted:
			total.Mounted++
		case uploaded:
			total.Uploaded++
			total.Bytes += sizes[h]
		}
	}
}

// pushable is the artifact with layers that are mounted where they can be, and tell their progress.
func (c *Client) pushable(what Artifact, repo name.Repository) remote.Taggable {
	if what.Index != nil {
		return &pushIndex{what.Index, c, repo}
	}
	return &pushImage{what.Image, c, repo}
}

// anIndex can be embedded: under its own name the field would hide the method ImageIndex.
type anIndex = v1.ImageIndex

type pushIndex struct {
	anIndex
	c    *Client
	repo name.Repository
}

func (x *pushIndex) Image(h v1.Hash) (v1.Image, error) {
	img, err := x.anIndex.Image(h)
	if err != nil {
		return nil, err
	}
	return &pushImage{img, x.c, x.repo}, nil
}

func (x *pushIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	sub, err := x.anIndex.ImageIndex(h)
	if err != nil {
		return nil, err
	}
	return &pushIndex{sub, x.c, x.repo}, nil
}

type pushImage struct {
	v1.Image
	c    *Client
	repo name.Repository
}

// Layers wraps each layer. MountableLayer has to be outermost: ggcr looks for just that type.
func (i *pushImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	if err != nil {
		return nil, err
	}
	layers = slices.Clone(layers)
	for n, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			return nil, err
		}
		size, err := l.Size()
		if err != nil {
			return nil, err
		}
		layers[n] = &pushLayer{l, i.c, i.repo, v1.Descriptor{Digest: digest, Size: size}}
		if from, ok := i.c.origins.find(digest, i.repo); ok {
			layers[n] = &remote.MountableLayer{Layer: layers[n], Reference: from.Digest(digest.String())}
		}
	}
	return layers, nil
}

type pushLayer struct {
	v1.Layer
	c          *Client
	repo       name.Repository
	descriptor v1.Descriptor
}

func (l *pushLayer) Compressed() (io.ReadCloser, error) {
	r, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return l.c.watch(&localReader{r}, Uploading, l.repo.String(), l.descriptor), nil
}

// localReader marks errors of reading, so that they do not pass for the connection's.
type localReader struct{ io.ReadCloser }

func (r *localReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &localError{err}
	}
	return n, err
}
