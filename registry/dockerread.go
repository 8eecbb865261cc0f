package registry

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/internal/cas"
)

// dockerEntry is an image in the manifest.json of a Docker archive.
type dockerEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerCodec names how plain layers of a Docker archive are compressed; see image.Codec.
const dockerCodec = "docker1,klauspost-compress-1.20.3,gzip6"

// pullDocker makes an OCI image of one in a Docker archive. Such an archive holds plain layers and no
// manifest, so both are made here: the digest depends on what is in the archive and on dockerCodec.
func (c *Client) pullDocker(ctx context.Context, a *archive, selector string) (v1.Image, error) {
	if c.o.Store == nil {
		return nil, errors.New("a Docker archive is unpacked into the cache, and there is none")
	}
	entry, err := a.dockerEntry(selector)
	if err != nil {
		return nil, err
	}
	raw, err := a.small(entry.Config)
	if err != nil {
		return nil, err
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", entry.Config, err)
	}
	layers, err := c.importLayers(ctx, a, entry.Layers, config.RootFS.DiffIDs)
	if err != nil {
		return nil, err
	}
	return c.imported(ctx, raw, layers)
}

// dockerEntry returns the one image that the selector means.
func (a *archive) dockerEntry(selector string) (dockerEntry, error) {
	raw, err := a.small("manifest.json")
	if err != nil {
		return dockerEntry{}, err
	}
	var all, found []dockerEntry
	if err := json.Unmarshal(raw, &all); err != nil {
		return dockerEntry{}, fmt.Errorf("manifest.json: %w", err)
	}
	choice := &choiceError{selector: selector}
	for _, e := range all {
		id, err := a.imageID(e)
		if err != nil {
			return dockerEntry{}, err
		}
		for _, tag := range e.RepoTags {
			choice.choices = append(choice.choices, ":"+tag)
		}
		if len(e.RepoTags) == 0 {
			choice.choices = append(choice.choices, "@"+id)
		}
		if e.matches(selector, id) {
			found = append(found, e)
		}
	}
	if choice.found = len(found); choice.found != 1 {
		return dockerEntry{}, choice
	}
	return found[0], nil
}

// imageID is the digest of the configuration, by which docker names images.
func (a *archive) imageID(e dockerEntry) (string, error) {
	raw, err := a.small(e.Config)
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)), err
}

func (e dockerEntry) matches(selector, id string) bool {
	switch {
	case selector == "":
		return true
	case selector[0] == '@':
		return selector[1:] == id
	}
	return slices.ContainsFunc(e.RepoTags, func(tag string) bool { return sameName(tag, selector[1:]) })
}

func (c *Client) importLayers(ctx context.Context, a *archive, members []string, diffIDs []v1.Hash) ([]v1.Descriptor, error) {
	if len(members) != len(diffIDs) {
		return nil, fmt.Errorf("manifest.json has %d layers and the configuration %d; the archive is damaged", len(members), len(diffIDs))
	}
	layers := make([]v1.Descriptor, len(members))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.o.Jobs)
	for i := range members {
		g.Go(func() (err error) {
			defer c.flights.enter(diffIDs[i])()
			if layers[i], err = c.importLayer(ctx, a, members[i], diffIDs[i]); err != nil {
				err = fmt.Errorf("%s: %w", members[i], err)
			}
			return err
		})
	}
	return layers, g.Wait()
}

// importLayer brings a layer into the store, compressed, and remembers it by its diffID.
func (c *Client) importLayer(ctx context.Context, a *archive, member string, diffID v1.Hash) (d v1.Descriptor, err error) {
	const space = "docker-layer"
	key := dockerCodec + "\n" + diffID.String()
	if raw, ok, err := c.o.Store.Get(space, key); err != nil {
		return d, err
	} else if ok && json.Unmarshal(raw, &d) == nil {
		if info, err := os.Stat(c.o.Store.BlobPath(d.Digest.Hex)); err == nil && info.Size() == d.Size {
			return d, nil
		}
	}
	r, _, err := a.member(member)
	if err != nil {
		return d, err
	}
	defer r.Close()
	w, err := c.o.Store.Create()
	if err != nil {
		return d, err
	}
	defer w.Abort()
	sum := sha256.New()
	mediaType, err := pack(contextReader{ctx, r}, w, sum)
	if err != nil {
		return d, err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != diffID.Hex {
		return d, fmt.Errorf("its content has the digest sha256:%s, and the configuration says %s; the archive is damaged", got, diffID)
	}
	return commit(c.o.Store, w, mediaType, space, key)
}

func commit(s *cas.Store, w *cas.Writer, mediaType types.MediaType, space, key string) (d v1.Descriptor, err error) {
	b, err := w.Commit()
	if err != nil {
		return d, err
	}
	d = v1.Descriptor{MediaType: mediaType, Digest: v1.Hash{Algorithm: "sha256", Hex: b.Digest}, Size: b.Size}
	raw, err := json.Marshal(d)
	if err != nil {
		return d, err
	}
	return d, s.Put(space, key, raw)
}

// pack writes a layer compressed to w, and plain to sum. One that is compressed is taken as it is.
func pack(r io.Reader, w io.Writer, sum hash.Hash) (types.MediaType, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return "", err
	}
	mediaType := types.OCILayer
	switch {
	case bytes.HasPrefix(magic, zstdMagic):
		mediaType = types.OCILayerZStd
	case !bytes.HasPrefix(magic, gzipMagic):
		return mediaType, compress(buffered, w, sum)
	}
	same := io.TeeReader(buffered, w)
	plain, err := decompressed(io.NopCloser(same))
	if err != nil {
		return "", err
	}
	defer plain.Close()
	if _, err := io.Copy(sum, plain); err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, same) // what follows the compressed stream is a part of the blob
	return mediaType, err
}

func compress(r io.Reader, w io.Writer, sum hash.Hash) error {
	z, err := gzip.NewWriterLevel(w, 6)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.MultiWriter(sum, z), r); err != nil {
		return err
	}
	return z.Close()
}

// imported makes the image of a configuration and layers in the store.
func (c *Client) imported(ctx context.Context, config []byte, layers []v1.Descriptor) (v1.Image, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		return nil, err
	}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: layers,
		Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: digest, Size: size},
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	d := v1.Descriptor{MediaType: m.MediaType, Size: int64(len(raw))}
	if d.Digest, _, err = v1.SHA256(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	_, img, err := pulled(ctx, &importedImage{c, map[v1.Hash][]byte{digest: config, d.Digest: raw}}, d)
	return img, err
}

// importedImage is the content of an image whose layers are in the store.
type importedImage struct {
	c     *Client
	small map[v1.Hash][]byte
}

func (i *importedImage) open(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if raw, ok := i.small[d.Digest]; ok {
		r, err := inMemory(raw)()
		return verified(r, d), err
	}
	return i.c.cached(d)
}

// contextReader ends a copy when the context does.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
