//go:build !unix

package bytecode

import (
	"os"
	"os/exec"
	"syscall"
)

const sigalrm = syscall.Signal(14)

// ownGroup has nothing to do: the driver needs fork, so it does not start here at all.
func ownGroup(*exec.Cmd) {}

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
