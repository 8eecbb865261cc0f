package registry

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// replace writes a file under a temporary name beside it and renames it, so that the file is the old one, the
// new one, or not there. What is no regular file (a pipe, /dev/stdout) is written as it is.
func replace(file string, write func(io.Writer) error) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeTo(file, os.O_WRONLY, write)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target // a link to the file stays one
	}
	// Not os.CreateTemp: its mode is 0600, and the umask is to decide.
	temp := filepath.Join(filepath.Dir(file), fmt.Sprintf(".%s.%08x", filepath.Base(file), rand.Uint32()))
	err := writeTo(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, write)
	if err == nil {
		err = os.Rename(temp, file)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

func writeTo(file string, flags int, write func(io.Writer) error) error {
	f, err := os.OpenFile(file, flags, 0o666) //nolint:gosec // the umask decides
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 256<<10)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if info, serr := f.Stat(); err == nil && serr == nil && info.Mode().IsRegular() {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// undo removes what was made, last first, when a step fails.
type undo struct{ made []string }

// created notes a file that is to be made.
func (u *undo) created(path string) { u.made = append(u.made, path) }

// mkdir makes a directory and its parents, and notes those that were not there.
func (u *undo) mkdir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("a file is in the way")}
	}
	if err == nil {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := u.mkdir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // the umask decides
		return err
	}
	u.created(dir)
	return nil
}

// run removes; a directory that somebody else has put something into stays.
func (u *undo) run() {
	for _, path := range slices.Backward(u.made) {
		_ = os.Remove(path)
	}
}
