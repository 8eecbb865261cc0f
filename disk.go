package pexko

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pexko/pexko/pex"
)

// fullDiskError is a failure for want of space that nobody below has explained: of a write, or of a tool that
// was started and said so in its own words.
type fullDiskError struct {
	err  error
	hint string
}

func (e *fullDiskError) Error() string { return e.err.Error() }
func (e *fullDiskError) Unwrap() error { return e.err }

// Hint says where space is missing.
func (e *fullDiskError) Hint() string { return e.hint }

// explainFullDisk adds to an error of a full disk what to do about it.
func (b *build) explainFullDisk(err error) error {
	var known interface{ Hint() string }
	if !diskIsFull(err) || errors.As(err, &known) && known.Hint() != "" {
		return err
	}
	cache := b.store.Root()
	hint := "free space on the file system of " + cache + ", or name another cache directory with --cache-dir"
	var at *fs.PathError
	if errors.As(err, &at) && !strings.HasPrefix(at.Path, cache+string(filepath.Separator)) {
		hint = "free space on the file system of " + at.Path + ", or write to another place"
	}
	return &fullDiskError{err, hint}
}

func diskIsFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var failed *pex.ProcessError
	return errors.As(err, &failed) && slices.ContainsFunc(failed.Output, func(line string) bool {
		return strings.Contains(line, "No space left on device") || strings.Contains(line, "Disk quota exceeded")
	})
}
