//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package cas

import (
	"errors"
	"os"
	"syscall"
)

// errTaken says that another open file holds the lock.
var errTaken = errors.New("locked")

// tryLock takes the lock of f if nobody has it. It is the flock that lockedfile takes, which has no way to
// ask without waiting.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return errTaken
		default:
			return err
		}
	}
}
