package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxMembers is how many entries an archive may have.
const maxMembers = 100_000

// archive is a tar archive whose members can be read in any order, by their place in the file.
type archive struct {
	file    string
	members map[string]span
	links   map[string]string // symbolic and hard links among the members: old docker save has equal layers once
}

// span is the place of a member in bytes.
type span struct{ offset, size int64 }

// openArchive reads the headers of a tar file.
func openArchive(ctx context.Context, file string) (*archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := plainTar(f); err != nil {
		return nil, err
	}
	a := &archive{file: file, members: map[string]span{}, links: map[string]string{}}
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return a, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("reading the archive: %w", err)
		}
		// archive/tar reads a file block by block and seeks over content, so the file stands at the content now.
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if err := a.add(h, offset); err != nil {
			return nil, err
		}
	}
}

// plainTar refuses compressed archives: their members cannot be read in any order.
func plainTar(f *os.File) error {
	magic := make([]byte, 6)
	n, err := f.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return err
	}
	for with, start := range map[string][]byte{"gunzip": gzipMagic, "unzstd": zstdMagic, "bunzip2": []byte("BZh"), "unxz": []byte("\xfd7zXZ")} {
		if bytes.HasPrefix(magic[:n], start) {
			return fmt.Errorf("the archive is compressed; unpack it first with %s", with)
		}
	}
	return nil
}

func (a *archive) add(h *tar.Header, offset int64) error {
	if len(a.members)+len(a.links) >= maxMembers {
		return fmt.Errorf("the archive has more than %d members", maxMembers)
	}
	member := path.Clean(h.Name)
	switch h.Typeflag {
	case tar.TypeReg:
		a.members[member] = span{offset, h.Size}
	case tar.TypeSymlink:
		a.links[member] = path.Join(path.Dir(member), h.Linkname)
	case tar.TypeLink:
		a.links[member] = path.Clean(h.Linkname)
	}
	return nil
}

// find follows links among the members.
func (a *archive) find(member string) (span, bool) {
	member = path.Clean(member)
	for range 8 {
		if s, ok := a.members[member]; ok {
			return s, true
		}
		member = a.links[member]
	}
	return span{}, false
}

func (a *archive) has(member string) bool {
	_, ok := a.find(member)
	return ok
}

// some names a few members, for an error.
func (a *archive) some() string {
	all := slices.Sorted(maps.Keys(a.members))
	if len(all) == 0 {
		return "nothing"
	}
	if len(all) > 3 {
		return strings.Join(all[:3], ", ") + " and more"
	}
	return strings.Join(all, ", ")
}

// member opens a member. Nothing is verified.
func (a *archive) member(name string) (io.ReadCloser, int64, error) {
	s, ok := a.find(name)
	if !ok {
		return nil, 0, fmt.Errorf("%s: %w in the archive", name, fs.ErrNotExist)
	}
	f, err := os.Open(a.file)
	if err != nil {
		return nil, 0, err
	}
	return &stacked{Reader: io.NewSectionReader(f, s.offset, s.size), close: []io.Closer{f}}, s.size, nil
}

// small reads a member that is held in memory.
func (a *archive) small(name string) (raw []byte, err error) {
	r, size, err := a.member(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if size > maxManifest {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxManifest)
	}
	return io.ReadAll(r)
}

func (a *archive) index() ([]byte, error) { return a.small("index.json") }

func (a *archive) open(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	r, _, err := a.member(path.Join("blobs", d.Digest.Algorithm, d.Digest.Hex))
	if err != nil {
		return nil, err
	}
	return verified(r, d), nil
}
