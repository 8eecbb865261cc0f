package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Child is an image of an index and the platform it is for, with the variant where there is one ("linux/arm64/v8").
type Child struct {
	Platform v1.Platform
	Image    v1.Image
}

// Index returns an OCI index of the children in this order, with these annotations. A runtime takes the
// first child that fits, so two of one platform are an error.
func Index(children []Child, annotations map[string]string) (v1.ImageIndex, error) {
	if len(children) == 0 {
		return nil, errors.New("an index without images")
	}
	m := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Annotations: maps.Clone(annotations)}
	seen := map[string]bool{}
	for _, c := range children {
		d, err := c.descriptor()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Platform.String(), err)
		}
		if seen[c.Platform.String()] {
			return nil, fmt.Errorf("two images for %s in one index", c.Platform.String())
		}
		seen[c.Platform.String()] = true
		m.Manifests = append(m.Manifests, d)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &index{children: append([]Child(nil), children...), manifest: raw}, nil
}

func (c Child) descriptor() (v1.Descriptor, error) {
	digest, err := c.Image.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := c.Image.Size()
	if err != nil {
		return v1.Descriptor{}, err
	}
	mediaType, err := c.Image.MediaType()
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size, Platform: c.Platform.DeepCopy()}, err
}

// index is an index whose manifest is known bytes.
type index struct {
	children []Child
	manifest []byte
}

func (x *index) MediaType() (types.MediaType, error) { return types.OCIImageIndex, nil }
func (x *index) Size() (int64, error)                { return int64(len(x.manifest)), nil }
func (x *index) Digest() (v1.Hash, error)            { return partial.Digest(x) }
func (x *index) RawManifest() ([]byte, error)        { return bytes.Clone(x.manifest), nil }

func (x *index) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(x.manifest))
}

func (x *index) Image(h v1.Hash) (v1.Image, error) {
	for _, c := range x.children {
		if got, err := c.Image.Digest(); err == nil && got == h {
			return c.Image, nil
		}
	}
	return nil, fmt.Errorf("no image %s in the index", h)
}

func (x *index) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	return nil, fmt.Errorf("no index %s in the index", h)
}
