//go:build unix

package pex

import (
	"os/exec"
	"syscall"
	"time"
)

// grace is how long a cancelled tool may take to remove its temporary files before it is killed.
const grace = 3 * time.Second

// ownGroup makes the command the leader of a process group, and ends that whole group when the command is
// cancelled: pex and pip start processes of their own, which a signal to the leader alone would orphan.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
}

// endGroup kills what is left of the command's group, after the command itself has ended.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // ESRCH, as a rule: nothing is left
	}
}
