package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// workspace is the directory for unfinished work of one process. The lock beside it is held as long as
// the process lives, and the kernel drops it however the process ends. A process id would not do: it is
// reused, and means nothing to another container that shares the cache.
type workspace struct {
	dir  string
	lock *os.File
}

const lockSuffix = ".lock"

// newWorkspace makes a workspace below parent. The lock comes before the directory, so that a directory
// without a held lock is always a dead one. On a file system without locks there is none, and no sweep.
func newWorkspace(parent string) (*workspace, error) {
	for {
		lock, err := os.CreateTemp(parent, "work-*"+lockSuffix)
		if err != nil {
			return nil, err
		}
		if errors.Is(tryLock(lock), errTaken) || !sameFile(lock, lock.Name()) {
			lock.Close() // a sweeper came in between; its file is gone
			continue
		}
		w := &workspace{dir: strings.TrimSuffix(lock.Name(), lockSuffix), lock: lock}
		if err := os.Mkdir(w.dir, 0o777); err != nil {
			return nil, errors.Join(err, w.remove())
		}
		return w, nil
	}
}

func (w *workspace) remove() error {
	err := errors.Join(removeAll(w.dir), os.Remove(w.lock.Name()))
	return errors.Join(err, w.lock.Close())
}

// sweep removes the workspaces of dead processes. It is done in passing: what cannot be removed (another
// user's, or swept by another process this moment) does not keep anybody from working.
func sweep(parent string) {
	locks, err := filepath.Glob(filepath.Join(parent, "work-*"+lockSuffix))
	if err != nil {
		return
	}
	for _, name := range locks {
		lock, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(lock) == nil && sameFile(lock, name) {
			_ = (&workspace{dir: strings.TrimSuffix(name, lockSuffix), lock: lock}).remove()
			continue
		}
		lock.Close()
	}
}

// sameFile says whether name still is the open file f.
func sameFile(f *os.File, name string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(held, named)
}

// removeAll is os.RemoveAll for trees that hold read-only directories, as extracted base images do.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// work returns this process's workspace.
func (s *Store) work() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temp == nil {
		w, err := newWorkspace(s.path("tmp"))
		if err != nil {
			return "", s.wrap(err)
		}
		s.temp = w
	}
	return s.temp.dir, nil
}

// TempDir makes an empty directory below the store, on the file system of everything in it, and a
// function that removes it with all that it holds. What a killed process leaves is swept by a later Open.
func (s *Store) TempDir() (dir string, remove func(), err error) {
	work, err := s.work()
	if err != nil {
		return "", nil, err
	}
	parent, err := os.MkdirTemp(work, "dir-*")
	if err != nil {
		return "", nil, s.wrap(err)
	}
	// MkdirTemp's 0700 would be visible in what is made of the directory; one made by Mkdir has the umask's mode.
	dir = filepath.Join(parent, "d")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", nil, s.wrap(errors.Join(err, os.Remove(parent)))
	}
	return dir, func() { _ = removeAll(parent) }, nil
}

// tempFile makes a file in the workspace with the mode that the umask gives, where os.CreateTemp's 0600
// would shut a shared cache's other users out.
func (s *Store) tempFile() (*os.File, error) {
	work, err := s.work()
	if err != nil {
		return nil, err
	}
	for n := s.count.Add(1); ; n = s.count.Add(1) {
		f, err := os.OpenFile(filepath.Join(work, fmt.Sprintf("file-%d", n)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return f, s.wrap(err)
	}
}

// place gives the finished file or directory at temp its final name.
func place(temp, final string) error {
	if err := os.MkdirAll(filepath.Dir(final), 0o777); err != nil {
		return err
	}
	return os.Rename(temp, final)
}
