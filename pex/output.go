package pex

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write makes a PEX in the given layout at out, which it replaces at once when the PEX is complete: a file for
// Zipapp, else a directory. What is there already is replaced if it is of that kind; a link to it stays one. A
// pipe or device (/dev/stdout) is written as it is.
func (t *Tool) Write(ctx context.Context, r AssembleRequest, layout Layout, out string) error {
	if err := replaceable(out, layout); err != nil {
		return err
	}
	temp, remove, err := t.o.Store.TempDir()
	if err != nil {
		return err
	}
	defer remove()
	made := filepath.Join(temp, "app")
	if err := t.runAssembly(ctx, r, layout, made); err != nil {
		return err
	}
	return publish(made, out)
}

// replaceable refuses to put a PEX where something else lies.
func replaceable(out string, layout Layout) error {
	info, err := os.Stat(out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case layout == Zipapp && info.IsDir():
		return fmt.Errorf("%s: a directory, where the PEX is to be a file", out)
	case layout != Zipapp && !info.IsDir():
		return fmt.Errorf("%s: a file, where the PEX is to be a directory", out)
	case layout != Zipapp:
		entries, err := os.ReadDir(out)
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(out, infoName)); err != nil && len(entries) > 0 {
			return fmt.Errorf("%s: a directory that is not a PEX; it is not replaced", out)
		}
	}
	return nil
}

// publish copies made to a hidden neighbour of out, since it may lie on another file system, and renames that.
func publish(made, out string) error {
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return pour(made, out)
	}
	if target, err := filepath.EvalSymlinks(out); err == nil {
		out = target // a link to the PEX stays one
	}
	temp, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	fresh := filepath.Join(temp, "new")
	if err := copyAll(made, fresh); err != nil {
		return err
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		if err := os.Rename(out, filepath.Join(temp, "old")); err != nil {
			return err
		}
	}
	return os.Rename(fresh, out)
}

// pour writes a file into what is there.
func pour(made, out string) error {
	source, err := os.Open(made)
	if err != nil {
		return err
	}
	defer source.Close()
	dest, err := os.OpenFile(out, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(dest, source)
	return errors.Join(err, dest.Close())
}

// copyAll copies a file or directory with normal modes; the one link that pex makes is kept.
func copyAll(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dest := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return errors.Join(os.Mkdir(dest, 0o755), os.Chmod(dest, 0o755))
		case d.Type()&os.ModeSymlink != 0:
			link, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(link, dest))
		}
		return copyFile(path, dest)
	})
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	dest, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(dest, source)
	return errors.Join(err, dest.Chmod(mode), dest.Close())
}
