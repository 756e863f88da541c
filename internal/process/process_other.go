//go:build !unix

package process

import (
	"os"
	"os/exec"
)

func isolate(*exec.Cmd) {}

// There are no process groups and no SIGTERM here: both kill the one process.
func killGroup(leader *os.Process)      { _ = leader.Kill() }
func terminateGroup(leader *os.Process) { _ = leader.Kill() }

func freezeGroup(*os.Process) {}
func thawGroup(*os.Process)   {}

func residentBytes(int) int64 { return 0 }
