package base

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/pexko/pexko/base/internal/binary"
	"github.com/pexko/pexko/base/rootfs"
	"github.com/pexko/pexko/internal/tree"
)

// maxText bounds the configuration files that inspection reads, maxBinary the executables and libraries.
const (
	maxText   = 1 << 20
	maxBinary = 512 << 20
)

// scratch holds the files of an image that inspection looks into, extracted to a directory of this machine
// by their paths without links. Each read of the image costs a pass over its layers, so much is fetched at once.
type scratch struct {
	fs    *rootfs.FS
	dir   string
	there map[string]bool
}

func newScratch(fsys *rootfs.FS, dir string) *scratch {
	return &scratch{fs: fsys, dir: dir, there: map[string]bool{}}
}

// fetch extracts the files at paths that are not there yet. What is no regular file is left out.
func (s *scratch) fetch(ctx context.Context, paths ...string) error {
	var missing []string
	for _, p := range paths {
		real, ok := s.file(p)
		if !ok || s.there[real] {
			continue
		}
		if e, _ := s.fs.Stat(real); e.Size > maxBinary {
			return because("%s has %d bytes, more than %d", p, e.Size, int64(maxBinary))
		}
		s.there[real] = true
		missing = append(missing, real)
	}
	if len(missing) == 0 {
		return nil
	}
	return s.fs.Extract(ctx, missing, s.dir)
}

// modest leaves out the files that fetch would refuse.
func (s *scratch) modest(paths []string) []string {
	return slices.DeleteFunc(paths, func(p string) bool {
		real, ok := s.file(p)
		e, _ := s.fs.Stat(real)
		return !ok || e.Size > maxBinary
	})
}

// file is the path of the regular file that name leads to.
func (s *scratch) file(name string) (string, bool) {
	real, err := s.fs.Resolve(name)
	if err != nil {
		return "", false
	}
	e, ok := s.fs.Stat(real)
	return real, ok && e.Kind == tree.File
}

// local fetches the file and says where it is on this machine.
func (s *scratch) local(ctx context.Context, name string) (string, error) {
	real, ok := s.file(name)
	if !ok {
		return "", &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	if err := s.fetch(ctx, real); err != nil {
		return "", err
	}
	return filepath.Join(s.dir, filepath.FromSlash(real)), nil
}

// text is the content of a small file; nil if there is none.
func (s *scratch) text(ctx context.Context, name string) ([]byte, error) {
	file, err := s.local(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxText)
	}
	return b, nil
}

// elf reads the headers of an executable or library.
func (s *scratch) elf(ctx context.Context, name string) (binary.ELF, error) {
	file, err := s.local(ctx, name)
	if err != nil {
		return binary.ELF{}, err
	}
	e, err := binary.Open(file)
	switch {
	case errors.Is(err, binary.ErrNotELF):
		return e, because("%s is no executable but a script or the like, and inspection runs nothing", name)
	case errors.Is(err, binary.ErrDamaged):
		return e, because("%s: %v", name, err)
	}
	return e, err
}

// names are the files and directories in dir.
func (s *scratch) names(dir string) []string {
	nodes, err := s.fs.List(dir)
	if err != nil {
		return nil
	}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = path.Base(n.Path)
	}
	return names
}
