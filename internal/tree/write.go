package tree

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteTo makes the tree's files below an existing directory, as a runtime makes them of a layer: directories
// that the tree does not name have mode 0755, and a file or link takes the place of an older one. Owners
// are not set. No link is followed on the way, so nothing outside of the directory is touched.
func (t Tree) WriteTo(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, e := range t {
		if err := e.writeTo(root); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

func (e Entry) writeTo(root *os.Root) error {
	if e.Kind == Dir {
		if err := root.MkdirAll(e.Path, 0o755); err != nil {
			return err
		}
		return root.Chmod(e.Path, e.Mode)
	}
	if err := root.MkdirAll(filepath.Dir(e.Path), 0o755); err != nil {
		return err
	}
	if err := root.Remove(e.Path); err != nil && !os.IsNotExist(err) {
		return err
	}
	if e.Kind == Symlink {
		return root.Symlink(e.Link, e.Path)
	}
	return e.writeFile(root)
}

func (e Entry) writeFile(root *os.Root) (err error) {
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	n, err := io.Copy(f, r)
	if err != nil {
		return err
	}
	if n != e.Size {
		return fmt.Errorf("%d bytes where %d were announced", n, e.Size)
	}
	return f.Chmod(e.Mode)
}
