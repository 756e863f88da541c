//go:build unix

package testserver

import (
	"os"
	"syscall"
)

// killGroup does nothing to a group that is gone.
func killGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
