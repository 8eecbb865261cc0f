package base

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/testenv"
)

// layoutPuller pulls the one index or image of an OCI layout, and counts how often layers are opened.
type layoutPuller struct{ opens atomic.Int32 }

func (p *layoutPuller) Pull(_ context.Context, dir string) (v1.ImageIndex, v1.Image, error) {
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, err
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, nil, fmt.Errorf("%s: %d manifests", dir, len(manifest.Manifests))
	}
	if d := manifest.Manifests[0]; d.MediaType.IsIndex() {
		index, err := top.ImageIndex(d.Digest)
		return countedIndex{index, &p.opens}, nil, err
	}
	image, err := top.Image(manifest.Manifests[0].Digest)
	return nil, countedImage{image, &p.opens}, err
}

// inner lets countedIndex embed the interface that has a method of its own name.
type inner = v1.ImageIndex

type countedIndex struct {
	inner
	opens *atomic.Int32
}

func (i countedIndex) Image(h v1.Hash) (v1.Image, error) {
	image, err := i.inner.Image(h)
	return countedImage{image, i.opens}, err
}

type countedImage struct {
	v1.Image
	opens *atomic.Int32
}

func (i countedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	for n, l := range layers {
		layers[n] = countedLayer{l, i.opens}
	}
	return layers, err
}

type countedLayer struct {
	v1.Layer
	opens *atomic.Int32
}

func (l countedLayer) Uncompressed() (io.ReadCloser, error) {
	l.opens.Add(1)
	return l.Layer.Uncompressed()
}

func (l countedLayer) Compressed() (io.ReadCloser, error) {
	l.opens.Add(1)
	return l.Layer.Compressed()
}

func newStore(t testing.TB) *cas.Store {
	t.Helper()
	s, err := cas.Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

// testbedVariant inspects one of the testbed's bases.
func testbedVariant(t testing.TB, base string, p v1.Platform, s *cas.Store) *Variant {
	t.Helper()
	b, err := Open(t.Context(), testenv.Base(t, base), &layoutPuller{}, Options{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.Variant(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
