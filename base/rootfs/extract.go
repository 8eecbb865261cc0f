package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Extract writes the files at paths below dir, each at the path by which it was asked for, as a regular
// file: links are followed, so the copy stands on its own. Files are readable by all, executable if any
// execute bit is set in the image, and have its modification time (Python's timestamp pycs stay valid). On
// an error dir holds whatever was written so far; it is the caller's to remove.
func (f *FS) Extract(ctx context.Context, paths []string, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return f.Visit(ctx, paths, func(paths []string, n Node, r io.Reader) error {
		if err := write(root, local(paths[0]), n, r); err != nil {
			return err
		}
		for _, p := range paths[1:] {
			if err := root.MkdirAll(filepath.Dir(local(p)), 0o755); err != nil {
				return err
			}
			if err := root.Link(local(paths[0]), local(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// local is the path of this machine, below the directory that is extracted to.
func local(name string) string {
	return filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+name), "/"))
}

func write(root *os.Root, name string, n Node, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if n.Mode&0o111 != 0 {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return root.Chtimes(name, n.ModTime, n.ModTime)
}

// ReadFiles returns the content of small files by the path that was asked for. A path that is not there,
// or is no regular file, is left out; one with more than limit bytes is an error.
func (f *FS) ReadFiles(ctx context.Context, limit int64, paths ...string) (map[string][]byte, error) {
	var there []string
	for _, p := range paths {
		if n, err := f.file(p); err == nil {
			if n.size > limit {
				return nil, fmt.Errorf("%s: %d bytes, more than the limit of %d", p, n.size, limit)
			}
			there = append(there, p)
		}
	}
	contents := make(map[string][]byte, len(there))
	err := f.Visit(ctx, there, func(paths []string, _ Node, r io.Reader) error {
		b, err := io.ReadAll(r)
		for _, p := range paths {
			contents[p] = b
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return contents, nil
}
