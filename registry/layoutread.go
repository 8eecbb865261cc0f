package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	specs "github.com/opencontainers/image-spec/specs-go/v1"
)

// layout is an OCI image layout, in a directory or an archive.
type layout interface {
	content
	// index returns the content of index.json.
	index() ([]byte, error)
}

// layoutDir is a layout in a directory.
type layoutDir string

func (dir layoutDir) index() ([]byte, error) {
	f, err := os.Open(filepath.Join(string(dir), "index.json"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readIndex(f)
}

// readIndex reads an index.json of bounded size.
func readIndex(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(raw) > maxManifest {
		err = fmt.Errorf("index.json: more than %d bytes", maxManifest)
	}
	return raw, err
}

func (dir layoutDir) open(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	f, err := os.Open(dir.path(d.Digest))
	if err != nil {
		return nil, err
	}
	return verified(f, d), nil
}

// path is where a blob is. The digest has been parsed, hence cannot lead elsewhere.
func (dir layoutDir) path(h v1.Hash) string {
	return filepath.Join(string(dir), "blobs", h.Algorithm, h.Hex)
}

// pullLayout returns what the selector chooses.
func pullLayout(ctx context.Context, l layout, selector string) (v1.ImageIndex, v1.Image, error) {
	raw, err := l.index()
	if err != nil {
		return nil, nil, err
	}
	m, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, fmt.Errorf("index.json: %w", err)
	}
	if selector == "" && isIndexItself(m.Manifests) {
		whole := pulledManifest{ctx: ctx, from: l, raw: raw, mediaType: types.OCIImageIndex}
		return &pulledIndex{whole}, nil, nil
	}
	d, err := choose(m.Manifests, selector)
	if err != nil {
		return nil, nil, err
	}
	return pulled(ctx, l, d)
}

// isIndexItself tells an index.json that is one image for several platforms, as some builders write it:
// images for different platforms, and no names. Its digest is then that of index.json.
func isIndexItself(all []v1.Descriptor) bool {
	platforms := map[string]bool{}
	for _, d := range all {
		if d.Platform == nil || !d.MediaType.IsImage() || len(names(d)) > 0 || platforms[d.Platform.String()] {
			return false
		}
		platforms[d.Platform.String()] = true
	}
	return len(all) > 1
}

// containerdName is the annotation with an image's full reference, as docker, buildkit and containerd write it.
const containerdName = "io.containerd.image.name"

// names are what a user may call the entry of an index.json: its tag, its full name.
func names(d v1.Descriptor) []string {
	var all []string
	for _, key := range []string{specs.AnnotationRefName, containerdName} {
		if n := d.Annotations[key]; n != "" {
			all = append(all, n)
		}
	}
	return all
}

// choose returns the one entry that the selector (":TAG", "@DIGEST" or "") means.
func choose(all []v1.Descriptor, selector string) (v1.Descriptor, error) {
	var found []v1.Descriptor
	for _, d := range all {
		if matches(d, selector) && !holds(found, d) {
			found = append(found, d)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return v1.Descriptor{}, &choiceError{selector: selector, found: len(found), choices: choices(all)}
}

// holds reports whether the same manifest is among the descriptors: one image may have several tags.
func holds(all []v1.Descriptor, d v1.Descriptor) bool {
	for _, o := range all {
		if o.Digest == d.Digest {
			return true
		}
	}
	return false
}

func matches(d v1.Descriptor, selector string) bool {
	switch {
	case selector == "":
		return true
	case selector[0] == '@':
		return "@"+d.Digest.String() == selector
	}
	for _, n := range names(d) {
		if sameName(n, selector[1:]) {
			return true
		}
	}
	return false
}

// sameName compares a name in an archive with one that a user wrote: a tag, or a reference in any of its forms.
func sameName(have, want string) bool {
	if have == want {
		return true
	}
	h, err := name.NewTag(have)
	if err != nil || !strings.Contains(have, ":") {
		return false
	}
	if h.TagStr() == want {
		return true
	}
	w, err := name.NewTag(want)
	return err == nil && w.Name() == h.Name()
}

func choices(all []v1.Descriptor) []string {
	var list []string
	for _, d := range all {
		if n := names(d); len(n) > 0 {
			list = append(list, ":"+n[0])
			continue
		}
		list = append(list, "@"+d.Digest.String())
	}
	return list
}

// choiceError is a layout or archive of which no image, or more than one, is meant.
type choiceError struct {
	selector string
	found    int
	choices  []string
}

func (e *choiceError) Error() string {
	switch {
	case len(e.choices) == 0:
		return "it holds no image"
	case e.found == 0:
		return fmt.Sprintf("it holds no image %q, but %s", e.selector, strings.Join(e.choices, ", "))
	}
	return fmt.Sprintf("it holds %d images, and one is wanted: %s", e.found, strings.Join(e.choices, ", "))
}

// Hint says how to choose.
func (e *choiceError) Hint() string {
	if len(e.choices) == 0 {
		return ""
	}
	return "append one of these to the path: " + strings.Join(e.choices, " ")
}

// layoutVersion is the content of the file that marks a layout.
func layoutVersion() []byte {
	raw, _ := json.Marshal(specs.ImageLayout{Version: specs.ImageLayoutVersion}) // a struct of one string
	return raw
}
