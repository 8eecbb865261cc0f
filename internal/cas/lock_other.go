//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package cas

import (
	"errors"
	"os"
)

var errTaken = errors.New("locked")

// tryLock has no lock to offer here; leftovers stay until the cache is pruned.
func tryLock(*os.File) error { return errors.ErrUnsupported }
