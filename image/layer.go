package image

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/tree"
)

// LayerOptions say how a tree becomes a layer. The zero value is right.
type LayerOptions struct {
	Compression Compression
	// CreatedBy is the layer's line in the image's history: "pexko: wheels numpy 2.4.1".
	CreatedBy string
	// Annotations are those of the layer's descriptor in the manifest.
	Annotations map[string]string
	// Parent returns the directory that a path of the tree lies in and the tree does not hold. What the base
	// has there keeps its mode and owner that way, since the entry of a layer replaces them. nil is tree.NewDir.
	Parent func(path string) tree.Entry
	// Key names the content of the tree, parents included: two trees of one key are equal. With a key the
	// layer is remembered, and a tree whose layer is in the store is not opened. "" remembers nothing.
	Key string
}

// Layer is a v1.Layer over a blob of the store. It is immutable; digest, diffID and size are known.
type Layer struct {
	store       *cas.Store
	record      record
	compression Compression
	createdBy   string
	annotations map[string]string
}

// record is what the store remembers of a layer under its key.
type record struct {
	Digest string `json:"digest"` // hex SHA-256 of the compressed bytes
	DiffID string `json:"diffID"` // hex SHA-256 of the tar
	Size   int64  `json:"size"`   // compressed bytes
}

// layerSpace is where the store keeps records.
const layerSpace = "layer"

// WriteLayer packs the tree into a blob of the store, compressing and digesting on the way, or finds the
// layer of that key there. Entries are read one after another, each at most once.
func WriteLayer(ctx context.Context, s *cas.Store, t tree.Tree, o LayerOptions) (*Layer, error) {
	l := &Layer{store: s, compression: o.Compression, createdBy: o.CreatedBy, annotations: maps.Clone(o.Annotations)}
	key := Codec + "\n" + o.Compression.name() + "\n" + o.Key
	if o.Key != "" {
		if found, err := l.find(key); err != nil || found {
			return l, err
		}
	}
	full, err := complete(t, o.Parent)
	if err != nil {
		return nil, err
	}
	if l.record, err = pack(ctx, s, full, o.Compression); err != nil {
		return nil, err
	}
	if o.Key != "" {
		err = l.remember(key)
	}
	return l, err
}

func (l *Layer) remember(key string) error {
	raw, err := json.Marshal(l.record)
	if err != nil {
		return err
	}
	return l.store.Put(layerSpace, key, raw)
}

// find sets the record to what the store remembers, if the blob is still there.
func (l *Layer) find(key string) (bool, error) {
	raw, ok, err := l.store.Get(layerSpace, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(raw, &l.record); err != nil {
		return false, nil // a record of another shape is a miss
	}
	info, err := os.Stat(l.store.BlobPath(l.record.Digest))
	return err == nil && info.Size() == l.record.Size, nil
}

// complete returns the tree sorted, with the parents it names.
func complete(t tree.Tree, parent func(string) tree.Entry) (tree.Tree, error) {
	if parent == nil {
		parent = tree.NewDir
	}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	var bad error
	full := t.WithParents(func(p string) tree.Entry {
		e := parent(p)
		if e.Kind != tree.Dir || e.Path != p {
			bad = fmt.Errorf("%s: the base has something there that is not a directory; the layer would replace it", p)
		}
		return e
	})
	if bad != nil {
		return nil, bad
	}
	for _, e := range full {
		if strings.HasPrefix(path.Base(e.Path), whiteout) {
			return nil, fmt.Errorf("%s: a name that begins with %s deletes from the layers below instead of adding a file; rename it or exclude it", e.Path, whiteout)
		}
	}
	return full, full.Validate()
}

// whiteout begins the names that a layer deletes by (OCI image-spec, layer.md, "Whiteouts").
const whiteout = ".wh."

// pack writes tar -> compressor -> blob and returns what is known of it.
func pack(ctx context.Context, s *cas.Store, t tree.Tree, c Compression) (record, error) {
	blob, err := s.Create()
	if err != nil {
		return record{}, err
	}
	defer blob.Abort()
	compressor, err := c.compressor(blob)
	if err != nil {
		return record{}, err
	}
	diff := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(diff, compressor), 128<<10)
	err = writeTar(ctx, buffered, t)
	if err == nil {
		err = buffered.Flush()
	}
	if cerr := compressor.Close(); err == nil { // always closed: the encoder holds goroutines
		err = cerr
	}
	if err != nil {
		return record{}, err
	}
	b, err := blob.Commit()
	return record{Digest: b.Digest, DiffID: hex.EncodeToString(diff.Sum(nil)), Size: b.Size}, err
}

// CreatedBy is the layer's line in the history.
func (l *Layer) CreatedBy() string { return l.createdBy }

// Digest implements v1.Layer.
func (l *Layer) Digest() (v1.Hash, error) { return sha(l.record.Digest), nil }

// DiffID implements v1.Layer.
func (l *Layer) DiffID() (v1.Hash, error) { return sha(l.record.DiffID), nil }

// Size implements v1.Layer.
func (l *Layer) Size() (int64, error) { return l.record.Size, nil }

// MediaType implements v1.Layer.
func (l *Layer) MediaType() (types.MediaType, error) { return l.compression.mediaType(), nil }

// Compressed implements v1.Layer; the reader verifies the digest at its end.
func (l *Layer) Compressed() (io.ReadCloser, error) {
	r, _, err := l.store.OpenBlob(l.record.Digest)
	return r, err
}

// Uncompressed implements v1.Layer.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	d, err := l.compression.decompressor(r)
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return &uncompressed{ReadCloser: d, blob: r}, nil
}

// Descriptor is what stands in the manifest (ggcr's partial.Descriptor asks for it).
func (l *Layer) Descriptor() (*v1.Descriptor, error) {
	return &v1.Descriptor{
		MediaType:   l.compression.mediaType(),
		Digest:      sha(l.record.Digest),
		Size:        l.record.Size,
		Annotations: maps.Clone(l.annotations),
	}, nil
}

func sha(hex string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex} }

// uncompressed reads and closes the blob below the decompressor too: only at its end does it tell that it was
// damaged, and why the decompressor choked.
type uncompressed struct {
	io.ReadCloser
	blob io.ReadCloser
}

func (u *uncompressed) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if _, berr := io.Copy(io.Discard, u.blob); berr != nil {
		return n, berr
	}
	return n, err
}

func (u *uncompressed) Close() error {
	err := u.ReadCloser.Close()
	if cerr := u.blob.Close(); err == nil {
		err = cerr
	}
	return err
}
