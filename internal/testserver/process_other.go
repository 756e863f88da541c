//go:build !unix

package testserver

import (
	"os"
	"os/exec"
)

func isolate(*exec.Cmd) {}

// killGroup kills the one process: there are no process groups here.
func killGroup(leader *os.Process) { _ = leader.Kill() }
