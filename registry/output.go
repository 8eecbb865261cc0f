package registry

import (
	"errors"
	"io/fs"
	"syscall"
)

// outputError is a layout or archive that could not be written; what was there before still is.
type outputError struct {
	what, path string
	err        error
}

func (e *outputError) Error() string { return e.what + " " + e.path + ": " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// Hint says what to do; "" when there is nothing to say.
func (e *outputError) Hint() string {
	switch {
	case errors.Is(e.err, syscall.ENOSPC), errors.Is(e.err, syscall.EDQUOT):
		return "free space on that file system, or write to another; nothing half-written was left"
	case errors.Is(e.err, fs.ErrPermission), errors.Is(e.err, syscall.EROFS):
		return "name a place that this user may write to"
	case errors.Is(e.err, fs.ErrNotExist):
		return "create the directory first, or check the path"
	}
	return ""
}
