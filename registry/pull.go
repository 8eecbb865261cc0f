package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Pull returns the image or index that the reference names; exactly one of them is not nil. Manifests are
// read now, configurations and layers when they are opened, with this context. The forms, as skopeo has them:
//
//	[docker://]HOST/REPOSITORY[:TAG][@sha256:DIGEST]   a registry
//	oci:DIR[:TAG | @sha256:DIGEST]                     an OCI layout
//	oci-archive:FILE[:TAG | @sha256:DIGEST]            a layout in a tar archive
//	docker-archive:FILE[:TAG | :REPOSITORY:TAG]        what docker save and podman save write
//
// The prefix may be left out before a path that begins with "/" or "." or at which there is a layout or an
// archive; its kind is then seen from its content. Without a tag or digest a layout or archive must hold one image.
func (c *Client) Pull(ctx context.Context, ref string) (v1.ImageIndex, v1.Image, error) {
	loc, err := locate(ref)
	if err != nil {
		return nil, nil, err
	}
	if loc.kind != remoteKind {
		index, img, err := c.pullPath(ctx, loc)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", ref, err)
		}
		return index, img, nil
	}
	parsed, err := c.Parse(loc.path)
	if err != nil {
		return nil, nil, err
	}
	index, img, err := c.pullRemote(ctx, parsed)
	return index, img, c.explain("pull", loc.path, parsed.Context().RegistryStr(), err)
}

func (c *Client) pullPath(ctx context.Context, loc location) (v1.ImageIndex, v1.Image, error) {
	if loc.kind == layoutKind {
		return pullLayout(ctx, layoutDir(loc.path), loc.selector)
	}
	a, err := openArchive(ctx, loc.path)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case loc.kind == ociArchiveKind || loc.kind == archiveKind && a.has("index.json"):
		return pullLayout(ctx, a, loc.selector)
	case a.has("manifest.json"):
		img, err := c.pullDocker(ctx, a, loc.selector)
		return nil, img, err
	}
	return nil, nil, fmt.Errorf("neither an OCI archive (index.json) nor a Docker archive (manifest.json); it holds %s", a.some())
}

// kind is what a reference refers to.
type kind uint8

const (
	remoteKind kind = iota
	layoutKind
	archiveKind // of one or the other form
	ociArchiveKind
	dockerArchiveKind
)

// location is a reference taken apart.
type location struct {
	kind     kind
	path     string // of a remoteKind the whole reference
	selector string // ":TAG", "@sha256:…" or ""
}

// locate says what the reference refers to.
func locate(ref string) (location, error) {
	for prefix, k := range map[string]kind{"oci:": layoutKind, "oci-archive:": ociArchiveKind, "docker-archive:": dockerArchiveKind} {
		if rest, ok := strings.CutPrefix(ref, prefix); ok {
			path, selector, ok := splitPath(rest)
			if !ok {
				return location{}, fmt.Errorf("%s: %w", ref, fs.ErrNotExist)
			}
			return location{k, path, selector}, nil
		}
	}
	if rest, ok := strings.CutPrefix(ref, "docker://"); ok {
		return location{remoteKind, rest, ""}, nil
	}
	explicit := strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || ref == "."
	path, selector, ok := splitPath(ref)
	if !ok && explicit {
		return location{}, fmt.Errorf("%s: %w", ref, fs.ErrNotExist)
	}
	if !ok {
		return location{remoteKind, ref, ""}, nil
	}
	k, err := kindOf(path)
	if err != nil && explicit {
		return location{}, err
	}
	if err != nil { // a directory of that name is not meant by "python:3.13"
		return location{remoteKind, ref, ""}, nil
	}
	return location{k, path, selector}, nil
}

// splitPath divides "PATH", "PATH:TAG" and "PATH@sha256:…" at the first place where PATH exists, so that a
// path may hold a colon.
func splitPath(ref string) (path, selector string, ok bool) {
	if exists(ref) {
		return ref, "", true
	}
	for i, r := range ref {
		if (r == ':' || r == '@') && i > 0 && exists(ref[:i]) {
			return ref[:i], ref[i:], true
		}
	}
	return "", "", false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// kindOf looks at a path that stands without a prefix.
func kindOf(path string) (kind, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return 0, err
	case info.Mode().IsRegular():
		return archiveKind, nil
	case info.IsDir() && (exists(filepath.Join(path, "oci-layout")) || exists(filepath.Join(path, "index.json"))):
		return layoutKind, nil
	case info.IsDir():
		return 0, fmt.Errorf("%s: a directory without an OCI layout (no index.json in it)", path)
	}
	return 0, fmt.Errorf("%s: %w", path, errors.New("neither a directory nor a regular file"))
}
