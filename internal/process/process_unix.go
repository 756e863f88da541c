//go:build unix

package process

import (
	"os"
	"syscall"
)

// Both do nothing to a group that is gone.
func killGroup(leader *os.Process)      { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
func terminateGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGTERM) }
