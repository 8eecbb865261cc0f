package cas

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Error is a failure of the cache directory itself: full, read-only, not ours, broken.
type Error struct {
	Dir string // the root of the store
	Err error
}

// Error names the directory and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("cache directory %s: %v", e.Dir, e.Err) }

// Unwrap gives the system's error: errors.Is(err, syscall.ENOSPC).
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it, for the line below the error; "" when there is nothing to say.
func (e *Error) Hint() string {
	switch {
	case errors.Is(e.Err, syscall.ENOSPC), errors.Is(e.Err, syscall.EDQUOT):
		return fmt.Sprintf("free space on the file system of %s (all that is cached there can be made again), or name another directory with --cache-dir", e.Dir)
	case errors.Is(e.Err, fs.ErrPermission), errors.Is(e.Err, syscall.EROFS):
		return fmt.Sprintf("make %s writable for this user, or name another directory with --cache-dir", e.Dir)
	case errors.Is(e.Err, syscall.ENOTDIR):
		return "a part of that path is a file; name another directory with --cache-dir"
	}
	return ""
}

func (s *Store) wrap(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Dir: s.dir, Err: err}
}
