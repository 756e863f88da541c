package guardtest_test

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// stopped reports whether a process is stopped by a signal. See proc_pid_stat(5).
func stopped(t *testing.T, pid string) bool {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(stat), ") T ")
}

// pids returns the processes of a function and of its extensions, from its log.
func pids(fn *guardtest.Function) (all []string) {
	for _, match := range regexp.MustCompile(`(?:init of|has pid) (\d+)\n`).FindAllStringSubmatch(fn.Log(), -1) {
		all = append(all, match[1])
	}
	return all
}

func TestEnvironmentIsFrozenBetweenInvocations(t *testing.T) {
	done := newEvent(t)
	env := []string{"EXTENSION_AWAITS=" + string(done), "SIGTERM=handled"}
	fn := beside(t, guardtest.Config{Freeze: true, Env: env}, "slow", "shutdown-only")
	if err := fn.Warm(within(t, patient)); err != nil {
		t.Fatal(err)
	}
	waitLog(t, fn, "slow has pid", "shutdown-only has pid", "init of")
	processes := pids(fn)
	if len(processes) != 3 {
		t.Fatalf("processes %q, want 3", processes)
	}
	all := func(want bool) func() bool {
		return func() bool {
			for _, pid := range processes {
				if stopped(t, pid) != want {
					return false
				}
			}
			return true
		}
	}
	eventually(t, "they are frozen after INIT", all(true))
	answer(t, fn, `{"do":"pid"}`)
	waitLog(t, fn, "slow invoke")
	if !all(false)() {
		t.Error("they are frozen while an extension is not done")
	}
	done.happen(t)
	eventually(t, "they are frozen after the invocation", all(true))
	for range 20 {
		answer(t, fn, `{"do":"pid"}`)
	}
	fn.Close()
	inOrder(t, fn.Log(), "got SIGTERM", "shutdown-only shuts down")
}

func TestFrozenFunctionWithoutExtensions(t *testing.T) {
	fn := start(t, guardtest.Config{Freeze: true, Instances: 2})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { answer(t, fn, `{"do":"echo"}`) })
	}
	wg.Wait()
	pid := answer(t, fn, `{"do":"pid"}`)
	eventually(t, "it is frozen", func() bool { return stopped(t, pid) })
	overrun(t, fn)
	if after := answer(t, fn, `{"do":"pid"}`); after == "" {
		t.Error("no process after a timeout")
	}
}
