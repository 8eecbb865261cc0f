package base

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/internal/cas"
)

// Puller gets images by reference.
type Puller interface {
	// Pull returns the index or the image that ref names; exactly one of them is not nil. Layers are read only
	// when they are opened, and may be opened several times: a puller over a network keeps them.
	Pull(ctx context.Context, ref string) (v1.ImageIndex, v1.Image, error)
}

// Options says how a base is to be read.
type Options struct {
	// Store remembers what was found out, and holds extracted interpreters. It must be set.
	Store *cas.Store
	// Python chooses the interpreter: an absolute path in the image, or a name that is looked up on the image's
	// PATH. "" takes the first there.
	Python string
}

// Base is a base image, for one or more platforms. Its methods may be used concurrently.
type Base struct {
	// Ref is the reference as given.
	Ref string
	// Name is the full reference, for the annotation org.opencontainers.image.base.name; "" for a base that
	// came from a file or directory, whose path means nothing elsewhere.
	Name string
	// Digest is that of the index, or of the image where there is no index.
	Digest v1.Hash

	options  Options
	images   []platformImage
	lock     sync.Mutex
	variants map[v1.Hash]*onceVariant
}

// platformImage is an image of the base that was not read yet.
type platformImage struct {
	platform v1.Platform
	digest   v1.Hash
	image    func() (v1.Image, error)
}

// Open pulls the base's index or manifest and finds out for which platforms it has images. No layer is read.
func Open(ctx context.Context, ref string, p Puller, o Options) (*Base, error) {
	if o.Store == nil {
		return nil, errors.New("base.Open: Options.Store is not set")
	}
	index, image, err := p.Pull(ctx, ref)
	if err != nil {
		return nil, err
	}
	b := &Base{Ref: ref, Name: fullName(ref), options: o, variants: map[v1.Hash]*onceVariant{}}
	if index != nil {
		if b.Digest, err = index.Digest(); err == nil {
			b.images, err = imagesOf(index, maxNesting)
		}
	} else {
		if b.Digest, err = image.Digest(); err == nil {
			b.images, err = single(image)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return b, nil
}

// Limits of an index.
const (
	maxNesting   = 3
	maxManifests = 1024
)

// imagesOf lists the images of an index and of those within it. What is no image for a platform, such as
// the attestations that BuildKit adds as unknown/unknown, is left out.
func imagesOf(index v1.ImageIndex, depth int) ([]platformImage, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) > maxManifests {
		return nil, fmt.Errorf("an index of %d manifests, more than %d", len(manifest.Manifests), maxManifests)
	}
	var all []platformImage
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex() && depth > 1:
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			more, err := imagesOf(inner, depth-1)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case d.MediaType.IsImage() && d.Platform == nil:
			image, err := index.Image(d.Digest)
			if err != nil {
				return nil, err
			}
			one, err := single(image)
			if err != nil {
				return nil, err
			}
			if one[0].platform.OS != "" { // else an artifact that is stored as if it were an image
				all = append(all, one...)
			}
		case d.MediaType.IsImage() && d.Platform.OS != "unknown":
			open := func() (v1.Image, error) { return index.Image(d.Digest) }
			all = append(all, platformImage{*d.Platform, d.Digest, open})
		}
	}
	return all, nil
}

// single is an image that says itself which platform it is for.
func single(image v1.Image) ([]platformImage, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	digest, err := image.Digest()
	if err != nil {
		return nil, err
	}
	p := v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant, OSVersion: config.OSVersion}
	return []platformImage{{p, digest, func() (v1.Image, error) { return image, nil }}}, nil
}

// Platforms lists what the base has images for, in its order.
func (b *Base) Platforms() []v1.Platform {
	var all []v1.Platform
	for _, i := range b.images {
		all = append(all, i.platform)
	}
	return all
}

// Supported are the platforms of the base that pexko builds for: Linux on the machines that there are wheels for.
func (b *Base) Supported() []v1.Platform {
	return slices.DeleteFunc(b.Platforms(), func(p v1.Platform) bool {
		_, ok := machineOf(p)
		return !ok
	})
}

// find returns the image for the platform: the first that is the same up to what variants leave open.
func (b *Base) find(want v1.Platform) (platformImage, error) {
	for _, i := range b.images {
		if have := normal(i.platform); have.Equals(normal(want)) {
			return i, nil
		}
	}
	return platformImage{}, &PlatformError{Base: b.Ref, Want: want, Have: b.Platforms()}
}
