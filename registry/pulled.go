package registry

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// content is where pulled blobs are: a repository, a layout, an archive.
type content interface {
	// open returns the content of the descriptor. Its last Read fails if it has another digest or size.
	open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// origin is content of a registry, which can mount blobs from there.
type origin interface{ offers(layers []v1.Descriptor) }

// pulled makes image or index of a manifest; exactly one is not nil.
//
// ggcr's interfaces have no contexts, so images keep the one of the Pull, as ggcr's own do.
func pulled(ctx context.Context, from content, d v1.Descriptor) (v1.ImageIndex, v1.Image, error) {
	r, err := from.open(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	raw, err := readAll(r, d)
	if err != nil {
		return nil, nil, err
	}
	base := pulledManifest{ctx: ctx, from: from, raw: raw, mediaType: d.MediaType}
	switch {
	case d.MediaType.IsIndex():
		return &pulledIndex{base}, nil, nil
	case d.MediaType.IsImage():
		img := &pulledImage{pulledManifest: base}
		if err := img.check(); err != nil {
			return nil, nil, err
		}
		return nil, img, nil
	case d.MediaType.IsSchema1():
		return nil, nil, fmt.Errorf("%s is of Docker's old manifest format (schema 1); push it anew with a current docker or skopeo", d.Digest)
	}
	return nil, nil, fmt.Errorf("%s is neither image nor index but %q", d.Digest, d.MediaType)
}

// pulledManifest is what images and indexes have in common.
type pulledManifest struct {
	ctx       context.Context //nolint:containedctx // see pulled
	from      content
	raw       []byte
	mediaType types.MediaType
}

func (m *pulledManifest) MediaType() (types.MediaType, error) { return m.mediaType, nil }
func (m *pulledManifest) RawManifest() ([]byte, error)        { return bytes.Clone(m.raw), nil }
func (m *pulledManifest) Digest() (v1.Hash, error)            { return partial.Digest(m) }
func (m *pulledManifest) Size() (int64, error)                { return int64(len(m.raw)), nil }

// pulledIndex is an index whose children are fetched when they are asked for.
type pulledIndex struct{ pulledManifest }

func (x *pulledIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(x.raw))
}

func (x *pulledIndex) Image(h v1.Hash) (v1.Image, error) {
	_, img, err := x.child(h)
	if err == nil && img == nil {
		err = fmt.Errorf("%s is an index, not an image", h)
	}
	return img, err
}

func (x *pulledIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	sub, _, err := x.child(h)
	if err == nil && sub == nil {
		err = fmt.Errorf("%s is an image, not an index", h)
	}
	return sub, err
}

func (x *pulledIndex) child(h v1.Hash) (v1.ImageIndex, v1.Image, error) {
	m, err := x.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(m.Manifests, func(d v1.Descriptor) bool { return d.Digest == h })
	if i < 0 {
		return nil, nil, fmt.Errorf("%s is not in the index", h)
	}
	return pulled(x.ctx, x.from, m.Manifests[i])
}

// pulledImage is an image whose configuration and layers are fetched when they are asked for.
type pulledImage struct {
	pulledManifest
	once   sync.Once
	config []byte
	err    error
}

// check refuses what cannot be an image before anybody relies on it.
func (i *pulledImage) check() error {
	m, err := i.Manifest()
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if !m.Config.MediaType.IsConfig() {
		return fmt.Errorf("not a container image: its configuration is %q (an artifact of another kind)", m.Config.MediaType)
	}
	if o, ok := i.from.(origin); ok {
		o.offers(m.Layers)
	}
	return nil
}

func (i *pulledImage) Manifest() (*v1.Manifest, error)     { return partial.Manifest(i) }
func (i *pulledImage) ConfigName() (v1.Hash, error)        { return partial.ConfigName(i) }
func (i *pulledImage) ConfigFile() (*v1.ConfigFile, error) { return partial.ConfigFile(i) }

func (i *pulledImage) RawConfigFile() ([]byte, error) {
	i.once.Do(func() {
		var m *v1.Manifest
		if m, i.err = i.Manifest(); i.err != nil {
			return
		}
		var r io.ReadCloser
		if r, i.err = i.from.open(i.ctx, m.Config); i.err == nil {
			i.config, i.err = readAll(r, m.Config)
		}
	})
	return bytes.Clone(i.config), i.err
}

func (i *pulledImage) Layers() ([]v1.Layer, error) {
	m, err := i.Manifest()
	if err != nil {
		return nil, err
	}
	var layers []v1.Layer
	for _, d := range m.Layers {
		layers = append(layers, &pulledLayer{i, d})
	}
	return layers, nil
}

func (i *pulledImage) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	m, err := i.Manifest()
	if err != nil {
		return nil, err
	}
	if m.Config.Digest == h {
		return partial.ConfigLayer(i)
	}
	for _, d := range m.Layers {
		if d.Digest == h {
			return &pulledLayer{i, d}, nil
		}
	}
	return nil, fmt.Errorf("no layer %s in the image", h)
}

func (i *pulledImage) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	digest, err := partial.DiffIDToBlob(i, h)
	if err != nil {
		return nil, err
	}
	return i.LayerByDigest(digest)
}

// pulledLayer is a layer that is fetched when it is opened.
type pulledLayer struct {
	image      *pulledImage
	descriptor v1.Descriptor
}

func (l *pulledLayer) Digest() (v1.Hash, error)            { return l.descriptor.Digest, nil }
func (l *pulledLayer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l *pulledLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
func (l *pulledLayer) DiffID() (v1.Hash, error) {
	return partial.BlobToDiffID(l.image, l.descriptor.Digest)
}
func (l *pulledLayer) Descriptor() (*v1.Descriptor, error) { return l.descriptor.DeepCopy(), nil }

func (l *pulledLayer) Compressed() (io.ReadCloser, error) {
	return l.image.from.open(l.image.ctx, l.descriptor)
}

func (l *pulledLayer) Uncompressed() (io.ReadCloser, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	return decompressed(r)
}

// decompressed returns the content of r, whether it is gzip, zstd or plain: the content tells, as media
// types in the wild do not always.
func decompressed(r io.ReadCloser) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		_ = r.Close()
		return nil, err
	}
	closers := []io.Closer{r}
	var plain io.Reader = buffered
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		plain, err = gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, zstdMagic):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1)); err == nil {
			plain, closers = z, []io.Closer{z.IOReadCloser(), r}
		}
	}
	if err != nil && err != io.EOF {
		_ = r.Close()
		return nil, err
	}
	return &stacked{Reader: &drained{plain, buffered}, close: closers}, nil
}

// drained reads what comes of another reader, and that one to its end when this one ends: only there does it tell
// whether its content was the right one, and why the decompressor choked.
type drained struct{ top, bottom io.Reader }

func (d *drained) Read(p []byte) (int, error) {
	n, err := d.top.Read(p)
	if err == nil {
		return n, nil
	}
	if _, berr := io.Copy(io.Discard, d.bottom); berr != nil {
		return n, berr
	}
	return n, err
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// stacked reads one reader and closes several.
type stacked struct {
	io.Reader
	close []io.Closer
}

func (s *stacked) Close() error {
	var first error
	for _, c := range s.close {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
