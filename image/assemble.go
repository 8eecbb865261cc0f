package image

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Assemble returns the image of the base's layers and then these, lowest first. It is an OCI image whatever
// the base is: the base's blobs are named by the OCI media types of the same formats. No layer is opened.
func Assemble(base v1.Image, layers []*Layer, c Config) (v1.Image, error) {
	lower, err := baseLayers(base)
	if err != nil {
		return nil, fmt.Errorf("base image: %w", err)
	}
	below, err := base.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("base image: configuration: %w", err)
	}
	if n := len(below.RootFS.DiffIDs); n != len(lower) {
		return nil, fmt.Errorf("base image: its manifest has %d layers and its configuration %d; it is damaged, choose another", len(lower), n)
	}
	config := c.apply(below)
	config.History = history(below, layers)
	config.RootFS.Type = "layers"
	all := lower
	for _, l := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, sha(l.record.DiffID))
		all = append(all, l)
	}
	return newAssembled(all, config, c.annotations())
}

// baseLayers returns the base's layers with their descriptors as the OCI manifest will have them.
func baseLayers(base v1.Image) ([]v1.Layer, error) {
	m, err := base.Manifest()
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	layers, err := base.Layers()
	if err != nil {
		return nil, fmt.Errorf("layers: %w", err)
	}
	if len(layers) != len(m.Layers) {
		return nil, fmt.Errorf("%d layers, %d in its manifest", len(layers), len(m.Layers))
	}
	for i, l := range layers {
		d := m.Layers[i]
		d.MediaType = ociLayer(d.MediaType)
		layers[i] = &baseLayer{Layer: l, descriptor: d}
	}
	return layers, nil
}

// ociLayer is the OCI name of a layer's format. A manifest that mixes the two families is refused by some registries.
func ociLayer(m types.MediaType) types.MediaType {
	switch m {
	case types.DockerLayer:
		return types.OCILayer
	case types.DockerUncompressedLayer:
		return types.OCIUncompressedLayer
	case types.DockerForeignLayer:
		return types.OCIRestrictedLayer
	}
	return m
}

// baseLayer is a layer of the base under its descriptor in the new manifest.
type baseLayer struct {
	v1.Layer
	descriptor v1.Descriptor
}

// MediaType implements v1.Layer.
func (l *baseLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }

// Digest implements v1.Layer; the manifest has the say, so that nothing is opened.
func (l *baseLayer) Digest() (v1.Hash, error) { return l.descriptor.Digest, nil }

// Size implements v1.Layer.
func (l *baseLayer) Size() (int64, error) { return l.descriptor.Size, nil }

// Descriptor is what stands in the manifest.
func (l *baseLayer) Descriptor() (*v1.Descriptor, error) { return l.descriptor.DeepCopy(), nil }

// history is the base's, one entry per layer at least, and an entry for each of ours. Tools match entries to
// layers by counting, so a base without history (some builders write none) gets entries that say so.
func history(base *v1.ConfigFile, layers []*Layer) []v1.History {
	var all []v1.History
	told := 0
	for _, h := range base.History {
		all = append(all, h)
		if !h.EmptyLayer {
			told++
		}
	}
	for ; told < len(base.RootFS.DiffIDs); told++ {
		all = append(all, v1.History{Created: v1.Time{Time: Epoch}, CreatedBy: "base image"})
	}
	for _, l := range layers {
		all = append(all, v1.History{Created: v1.Time{Time: Epoch}, CreatedBy: l.createdBy})
	}
	return all
}

// assembled is an image whose manifest and configuration are known bytes.
type assembled struct {
	layers           []v1.Layer
	config, manifest []byte
}

func newAssembled(layers []v1.Layer, config *v1.ConfigFile, annotations map[string]string) (v1.Image, error) {
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	m := v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		Config:        v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: digest, Size: size},
		Layers:        []v1.Descriptor{},
		Annotations:   annotations,
	}
	for _, l := range layers {
		d, err := partial.Descriptor(l)
		if err != nil {
			return nil, err
		}
		m.Layers = append(m.Layers, *d)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &assembled{layers: layers, config: raw, manifest: manifest}, nil
}

func (a *assembled) Layers() ([]v1.Layer, error) { return append([]v1.Layer(nil), a.layers...), nil }

func (a *assembled) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func (a *assembled) Size() (int64, error)                      { return int64(len(a.manifest)), nil }
func (a *assembled) Digest() (v1.Hash, error)                  { return partial.Digest(a) }
func (a *assembled) Manifest() (*v1.Manifest, error)           { return partial.Manifest(a) }
func (a *assembled) RawManifest() ([]byte, error)              { return bytes.Clone(a.manifest), nil }
func (a *assembled) ConfigName() (v1.Hash, error)              { return partial.ConfigName(a) }
func (a *assembled) ConfigFile() (*v1.ConfigFile, error)       { return partial.ConfigFile(a) }
func (a *assembled) RawConfigFile() ([]byte, error)            { return bytes.Clone(a.config), nil }
func (a *assembled) LayerByDiffID(h v1.Hash) (v1.Layer, error) { return a.find(h, v1.Layer.DiffID) }

// LayerByDigest also finds the configuration, as v1.Image wants.
func (a *assembled) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if name, err := a.ConfigName(); err == nil && name == h {
		return partial.ConfigLayer(a)
	}
	return a.find(h, v1.Layer.Digest)
}

func (a *assembled) find(h v1.Hash, of func(v1.Layer) (v1.Hash, error)) (v1.Layer, error) {
	for _, l := range a.layers {
		got, err := of(l)
		if err != nil {
			return nil, err
		}
		if got == h {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no layer %s in the image", h)
}
