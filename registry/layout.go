package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	specs "github.com/opencontainers/image-spec/specs-go/v1"
)

// WriteLayout puts the artifact into the OCI layout in dir under the tags; with no tag, under its digest alone.
// The directory is made if it is not there. Other content of a layout stays, tags move. What a reader sees is the
// old index or the new one, never one without its blobs; a failure takes back the blobs that it wrote. Two writers
// of one layout at the same time are safe but for each other's tags: the last index.json stands.
func WriteLayout(ctx context.Context, dir string, tags []string, what Artifact) error {
	if err := writeLayout(ctx, dir, tags, what); err != nil {
		return &outputError{"OCI layout", dir, err}
	}
	return nil
}

// CheckLayout finds out whether WriteLayout can put an artifact into dir, as far as what is there tells.
func CheckLayout(dir string) error {
	if _, err := readLayout(dir); err != nil {
		return fmt.Errorf("OCI layout %s: %w", dir, err)
	}
	return nil
}

func writeLayout(ctx context.Context, dir string, tags []string, what Artifact) (err error) {
	existing, err := readLayout(dir)
	if err != nil {
		return err
	}
	index, err := merged(existing, tags, what)
	if err != nil {
		return err
	}
	blobs, err := what.blobs()
	if err != nil {
		return err
	}
	var u undo
	defer func() {
		if err != nil {
			u.run()
		}
	}()
	blobDir := filepath.Join(dir, "blobs", "sha256")
	if err := u.mkdir(blobDir); err != nil {
		return err
	}
	for _, b := range blobs {
		if err := writeBlob(ctx, layoutDir(dir).path(b.Digest), b, &u); err != nil {
			return err
		}
	}
	marker := filepath.Join(dir, "oci-layout")
	if !exists(marker) {
		u.created(marker)
		if err := replace(marker, func(w io.Writer) error { _, err := w.Write(layoutVersion()); return err }); err != nil {
			return err
		}
	}
	return replace(filepath.Join(dir, "index.json"), func(w io.Writer) error { _, err := w.Write(index); return err })
}

// readLayout returns the index of what is in dir: a layout, or nothing at all.
func readLayout(dir string) (*v1.IndexManifest, error) {
	empty := &v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	raw, err := layoutDir(dir).index()
	if err == nil {
		m, err := v1.ParseIndexManifest(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("index.json: %w", err)
		}
		return m, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("the directory is neither empty nor a layout (it holds %s and no index.json); name another", entries[0].Name())
	}
	return empty, nil
}

// merged returns index.json with the artifact under the tags.
func merged(m *v1.IndexManifest, tags []string, what Artifact) ([]byte, error) {
	d, err := what.descriptor()
	if err != nil {
		return nil, err
	}
	m.Manifests = slices.DeleteFunc(m.Manifests, func(old v1.Descriptor) bool {
		tag := old.Annotations[specs.AnnotationRefName]
		return slices.Contains(tags, tag) || len(tags) == 0 && tag == "" && old.Digest == d.Digest
	})
	if len(tags) == 0 {
		m.Manifests = append(m.Manifests, d)
	}
	for _, tag := range tags {
		named := d
		named.Annotations = map[string]string{specs.AnnotationRefName: tag}
		m.Manifests = append(m.Manifests, named)
	}
	return json.Marshal(m)
}

// writeBlob writes content under its digest, unless it is there.
func writeBlob(ctx context.Context, file string, b blob, u *undo) error {
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() == b.Size {
		return nil
	}
	u.created(file)
	return replace(file, func(w io.Writer) error { return b.copy(ctx, w) })
}

// copy writes the blob's content, verified.
func (b blob) copy(ctx context.Context, w io.Writer) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	checked := verified(r, b.Descriptor)
	_, err = io.Copy(w, contextReader{ctx, checked})
	return errors.Join(err, checked.Close())
}
