//go:build unix

package guardtest_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func TestChildrenOfAFunctionEndWithIt(t *testing.T) {
	tests := []struct {
		name string
		end  func(t *testing.T, fn *guardtest.Function)
	}{
		{name: "at the end", end: func(_ *testing.T, fn *guardtest.Function) { fn.Close() }},
		{name: "when it exits", end: func(t *testing.T, fn *guardtest.Function) {
			_, err := fn.Invoke(t.Context(), []byte(`{"do":"exit"}`))
			failure(t, err)
		}},
		{name: "when it overruns", end: func(t *testing.T, fn *guardtest.Function) { overrun(t, fn) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := start(t, guardtest.Config{})
			pids := []string{answer(t, fn, `{"do":"pid"}`), answer(t, fn, `{"do":"child"}`)}
			for _, pid := range pids {
				if gone(t, pid) {
					t.Fatalf("process %s is not there to begin with", pid)
				}
			}
			tt.end(t, fn)
			for _, pid := range pids {
				untilGone(t, pid)
			}
		})
	}
}

func TestExtensionInsideTheRuntimeIsRefusedShutdownEvents(t *testing.T) {
	fn := start(t, guardtest.Config{Env: []string{"INIT=extension"}})
	answer(t, fn, `{"do":"pid"}`)
	want := `register 403 {"errorMessage":"SHUTDOWN: ShutdownEventNotSupportedForInternalExtension","errorType":"Extension.InvalidEventType"}`
	if log := fn.Log(); !strings.Contains(log, want) {
		t.Errorf("%s is not in the log: %s", want, log)
	}
}

func TestFunctionThatIgnoresSIGTERMIsKilled(t *testing.T) {
	fn := start(t, guardtest.Config{Env: []string{"SIGTERM=ignored"}})
	fn.SetShutdownGrace(50 * time.Millisecond)
	pid := answer(t, fn, `{"do":"pid"}`)
	fn.Close()
	if !gone(t, pid) {
		t.Errorf("process %s is still there", pid)
	}
}

func TestFunctionOverItsMemoryIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is only watched on Linux")
	}
	fn := start(t, guardtest.Config{Memory: 128})
	_, err := fn.Invoke(within(t, patient), []byte(`{"do":"eat","bytes":314572800}`))
	if got := failure(t, err); got.Type != guardtest.TypeOutOfMemory || !strings.Contains(got.Message, "signal: killed") {
		t.Errorf("failure %v", got)
	}
	answer(t, fn, `{"do":"pid"}`)
}

func TestFunctionDiesWithItsKilledOwner(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process of its parent's death")
	}
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), "GUARDTEST_OWNER="+echo)
	stdout, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_ = owner.Process.Kill()
	_ = owner.Wait()
	untilGone(t, strings.TrimSpace(pid))
}

func TestDescendantThatLeftTheGroupHoldsNothingUp(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	left, script := filepath.Join(t.TempDir(), "left"), filepath.Join(t.TempDir(), "bootstrap")
	text := fmt.Sprintf(`#!/bin/sh
setsid sh -c 'echo $$ >%[1]s.new; mv %[1]s.new %[1]s; exec sleep 3600' &
until [ -e %[1]s ]; do sleep 0.01; done
echo the last words
exit 3
`, left)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	fn := guardtest.Start(t, script, guardtest.Config{InitTimeout: patient})
	_, err := fn.Invoke(within(t, patient), nil)
	if got := failure(t, err); got.Type != guardtest.TypeExit || !strings.HasSuffix(got.Message, "exit status 3") {
		t.Errorf("failure %v", got)
	}
	if !strings.Contains(fn.Log(), "the last words\n") {
		t.Errorf("the log: %s", fn.Log())
	}
	told, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(told))
	if gone(t, pid) {
		t.Error("it has not left the group")
	}
	n, _ := strconv.Atoi(pid)
	_ = syscall.Kill(n, syscall.SIGKILL)
}

func gone(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
		return true
	}
	// A zombie is gone but for its parent's attention, and orphans may have a slow one.
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func untilGone(t *testing.T, pid string) {
	t.Helper()
	eventually(t, "process "+pid+" is gone", func() bool { return gone(t, pid) })
}
