//go:build !unix

package pex

import (
	"os/exec"
	"time"
)

func ownGroup(cmd *exec.Cmd) { cmd.WaitDelay = 3 * time.Second }

func endGroup(*exec.Cmd) {}
