package registry

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	specs "github.com/opencontainers/image-spec/specs-go/v1"
)

// WriteArchive writes the artifact as an OCI archive: a layout in a tar file, any number of platforms. Each
// tag is an entry of its index, by full name and, the first of its tag, by tag. Equal arguments give equal bytes.
func WriteArchive(ctx context.Context, file string, tags []name.Tag, what Artifact) error {
	err := replace(file, func(w io.Writer) error { return writeArchive(ctx, w, tags, what, nil) })
	if err != nil {
		return &outputError{"OCI archive", file, err}
	}
	return nil
}

// WriteTarball writes the artifact's one image as a Docker archive, for docker load, podman load and whatever
// reads docker save's output. As docker's own, it is an OCI archive too, so that an engine that
// keeps manifests has the image under the same digest as a registry.
func WriteTarball(ctx context.Context, file string, tags []name.Tag, what Artifact) error {
	img, err := what.only()
	if err == nil {
		err = replace(file, func(w io.Writer) error { return writeDocker(ctx, w, tags, img) })
	}
	if err != nil {
		return &outputError{"Docker archive", file, err}
	}
	return nil
}

func writeDocker(ctx context.Context, w io.Writer, tags []name.Tag, img v1.Image) error {
	entry, err := dockerManifest(tags, img)
	if err != nil {
		return err
	}
	return writeArchive(ctx, w, tags, Artifact{Image: img}, entry)
}

// dockerManifest is the manifest.json of a Docker archive whose files are a layout's.
func dockerManifest(tags []name.Tag, img v1.Image) ([]byte, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	entry := dockerEntry{Config: blobPath(m.Config.Digest), RepoTags: []string{}, Layers: []string{}}
	for _, tag := range tags {
		entry.RepoTags = append(entry.RepoTags, familiar(tag))
	}
	for _, l := range m.Layers {
		if !l.MediaType.IsDistributable() {
			return nil, fmt.Errorf("layer %s may not be distributed (%s), and a Docker archive holds all layers", l.Digest, l.MediaType)
		}
		entry.Layers = append(entry.Layers, blobPath(l.Digest))
	}
	return json.Marshal([]dockerEntry{entry})
}

// familiar is the tag as docker prints it: without its default registry.
func familiar(tag name.Tag) string {
	short := strings.TrimPrefix(tag.Name(), name.DefaultRegistry+"/")
	return strings.TrimPrefix(short, "library/")
}

// full is the tag as containerd writes it.
func full(tag name.Tag) string {
	if rest, ok := strings.CutPrefix(tag.Name(), name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return tag.Name()
}

func blobPath(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }

// writeArchive writes a layout as tar: directories, small files, blobs by digest. docker is the manifest.json, or nil.
func writeArchive(ctx context.Context, w io.Writer, tags []name.Tag, what Artifact, docker []byte) error {
	index, err := archiveIndex(tags, what)
	if err != nil {
		return err
	}
	blobs, err := what.blobs()
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	for _, dir := range []string{"blobs/", "blobs/sha256/"} {
		if err := tw.WriteHeader(member(dir, tar.TypeDir, 0o755, 0)); err != nil {
			return err
		}
	}
	slices.SortFunc(blobs, func(a, b blob) int { return strings.Compare(a.Digest.Hex, b.Digest.Hex) })
	for _, b := range blobs {
		if err := tw.WriteHeader(member(blobPath(b.Digest), tar.TypeReg, 0o644, b.Size)); err != nil {
			return err
		}
		if err := b.copy(ctx, tw); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{"index.json", index}, {"manifest.json", docker}, {"oci-layout", layoutVersion()}} {
		if f.content == nil {
			continue
		}
		if err := tw.WriteHeader(member(f.name, tar.TypeReg, 0o644, int64(len(f.content)))); err != nil {
			return err
		}
		if _, err := tw.Write(f.content); err != nil {
			return err
		}
	}
	return tw.Close()
}

// epoch is the time of all members; see image.Epoch.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

func member(name string, typeflag byte, mode, size int64) *tar.Header {
	return &tar.Header{Name: name, Typeflag: typeflag, Mode: mode, Size: size, ModTime: epoch, Format: tar.FormatUnknown}
}

// archiveIndex is the index.json of an archive: an entry per name. The ref.name annotation is a tag and has to be
// unique in an index, so of several names with one tag only the first has it; the full name tells all apart.
func archiveIndex(tags []name.Tag, what Artifact) ([]byte, error) {
	d, err := what.descriptor()
	if err != nil {
		return nil, err
	}
	m := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	seen := map[string]bool{}
	for _, tag := range tags {
		named := d
		named.Annotations = map[string]string{containerdName: full(tag)}
		if !seen[tag.TagStr()] {
			named.Annotations[specs.AnnotationRefName] = tag.TagStr()
		}
		seen[tag.TagStr()] = true
		m.Manifests = append(m.Manifests, named)
	}
	if len(tags) == 0 {
		m.Manifests = append(m.Manifests, d)
	}
	return json.Marshal(m)
}
