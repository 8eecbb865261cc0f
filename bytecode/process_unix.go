//go:build unix

package bytecode

import (
	"os/exec"
	"syscall"
)

const sigalrm = syscall.SIGALRM

// ownGroup keeps the terminal's Ctrl-C from the process and its children, and lets them be killed together.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a process that is not reaped yet, and its children. There is nothing to do about an error.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
