package registry

import (
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Artifact is what is pushed or written: exactly one of the two is set.
type Artifact struct {
	Image v1.Image
	Index v1.ImageIndex
}

func (a Artifact) none() bool { return a.Image == nil && a.Index == nil }

// Digest is that of the manifest or index.
func (a Artifact) Digest() (v1.Hash, error) {
	if a.Index != nil {
		return a.Index.Digest()
	}
	if a.Image != nil {
		return a.Image.Digest()
	}
	return v1.Hash{}, errors.New("neither image nor index")
}

// descriptor is the artifact's own.
func (a Artifact) descriptor() (v1.Descriptor, error) {
	var m manifest = a.Image
	if a.Index != nil {
		m = a.Index
	} else if a.Image == nil {
		return v1.Descriptor{}, errors.New("neither image nor index")
	}
	return describe(m)
}

// manifest is what images and indexes have in common.
type manifest interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
	Digest() (v1.Hash, error)
	Size() (int64, error)
}

func describe(m manifest) (d v1.Descriptor, err error) {
	if d.MediaType, err = m.MediaType(); err != nil {
		return d, err
	}
	if d.Digest, err = m.Digest(); err != nil {
		return d, err
	}
	d.Size, err = m.Size()
	return d, err
}

// Images returns the artifact's images and their platforms, in order; those of nested indexes too. Entries
// that are no images (attestations and the like) are not among them.
func (a Artifact) Images() ([]v1.Image, []v1.Platform, error) {
	if a.Image != nil {
		p, err := platform(a.Image)
		return []v1.Image{a.Image}, []v1.Platform{p}, err
	}
	var images []v1.Image
	var platforms []v1.Platform
	m, err := a.Index.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	for _, d := range m.Manifests {
		child, err := child(a.Index, d)
		if err != nil {
			return nil, nil, err
		}
		if child.none() {
			continue
		}
		more, on, err := child.Images()
		if err != nil {
			return nil, nil, err
		}
		if child.Image != nil && d.Platform != nil {
			on[0] = *d.Platform
		}
		images, platforms = append(images, more...), append(platforms, on...)
	}
	return images, platforms, nil
}

// child opens an entry of an index; the zero Artifact stands for what is neither image nor index.
func child(x v1.ImageIndex, d v1.Descriptor) (Artifact, error) {
	switch {
	case d.MediaType.IsImage():
		img, err := x.Image(d.Digest)
		return Artifact{Image: img}, err
	case d.MediaType.IsIndex():
		sub, err := x.ImageIndex(d.Digest)
		return Artifact{Index: sub}, err
	}
	return Artifact{}, nil
}

func platform(img v1.Image) (v1.Platform, error) {
	f, err := img.ConfigFile()
	if err != nil {
		return v1.Platform{}, err
	}
	if p := f.Platform(); p != nil {
		return *p, nil
	}
	return v1.Platform{}, nil
}

// For returns the artifact's image for the platform; an empty variant takes any. If there is none, the error
// lists those that there are.
func (a Artifact) For(want v1.Platform) (v1.Image, error) {
	images, platforms, err := a.Images()
	if err != nil {
		return nil, err
	}
	for i, p := range platforms {
		if p.OS == want.OS && p.Architecture == want.Architecture && (want.Variant == "" || p.Variant == want.Variant) {
			return images[i], nil
		}
	}
	return nil, fmt.Errorf("no image for %s among those built (%s); add it to --platform", want, list(platforms))
}

// only returns the one image of the artifact.
func (a Artifact) only() (v1.Image, error) {
	images, platforms, err := a.Images()
	if err != nil {
		return nil, err
	}
	if len(images) != 1 {
		return nil, fmt.Errorf("a Docker archive holds one platform, and %d were built (%s): build one with --platform, or write --oci-archive", len(images), list(platforms))
	}
	return images[0], nil
}

func list(platforms []v1.Platform) string {
	var names []string
	for _, p := range platforms {
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}

// blob is content of the artifact that has a digest: a layer, a configuration, a manifest.
type blob struct {
	v1.Descriptor
	open func() (io.ReadCloser, error)
}

// blobs returns the artifact's content, each once, whatever is named before what names it. Layers that may
// not be distributed are left out, as in a push.
func (a Artifact) blobs() ([]blob, error) {
	var all []blob
	seen := map[v1.Hash]bool{}
	err := a.walk(func(b blob) {
		if !seen[b.Digest] {
			seen[b.Digest] = true
			all = append(all, b)
		}
	})
	return all, err
}

func (a Artifact) walk(visit func(blob)) error {
	if a.Index == nil {
		return walkImage(a.Image, visit)
	}
	m, err := a.Index.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range m.Manifests {
		sub, err := child(a.Index, d)
		if err != nil {
			return err
		}
		if sub.none() {
			return fmt.Errorf("index entry %s: media type %s cannot be copied", d.Digest, d.MediaType)
		}
		if err := sub.walk(visit); err != nil {
			return err
		}
	}
	return visitManifest(a.Index, visit)
}

func walkImage(img v1.Image, visit func(blob)) error {
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for i, l := range layers {
		if m.Layers[i].MediaType.IsDistributable() {
			visit(blob{m.Layers[i], l.Compressed})
		}
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	visit(blob{m.Config, inMemory(config)})
	return visitManifest(img, visit)
}

func visitManifest(m manifest, visit func(blob)) error {
	raw, err := m.RawManifest()
	if err != nil {
		return err
	}
	d, err := describe(m)
	visit(blob{d, inMemory(raw)})
	return err
}
