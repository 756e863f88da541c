//go:build unix

package process

import (
	"os"
	"syscall"
)

// They do nothing to a group that is gone.
func killGroup(leader *os.Process)      { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }
func terminateGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGTERM) }
func freezeGroup(leader *os.Process)    { _ = syscall.Kill(-leader.Pid, syscall.SIGSTOP) }
func thawGroup(leader *os.Process)      { _ = syscall.Kill(-leader.Pid, syscall.SIGCONT) }
