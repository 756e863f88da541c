package guardtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/extensions"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/programs"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// Processes are the programs of an environment: the extensions and the runtime.
type processes struct {
	*programs.Set
	fn        *Function
	env       *environment
	variables []string          // of the runtime
	runtime   *programs.Program // nil until it is started
}

func newProcesses(f *Function, env *environment) *processes {
	return &processes{Set: programs.NewSet(extensions.Max + 1), fn: f, env: env, variables: env.variables()}
}

func (ps *processes) start(name, path string, variables []string, recordType string) (*programs.Program, error) {
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = ps.fn.cfg.Dir, variables
	return ps.Start(name, cmd, programs.Output{Log: ps.fn.log, Stream: &ps.env.telemetry.Stream, Type: recordType})
}

func (ps *processes) startExtensions(names []string) *death {
	failed := func(name, errorType string, err error) *death {
		ps.env.extensions.LaunchFailed(name, errorType)
		return &death{TypeExtensionLaunch, err.Error()}
	}
	for i, name := range names {
		if i == extensions.Max {
			return failed(name, "TooManyExtensions", fmt.Errorf("%d extensions, of %d that a function may have", len(names), extensions.Max))
		}
		_, err := ps.start(name, filepath.Join(ps.fn.cfg.Extensions, name), programs.Variables(ps.variables), telemetry.Extension)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return failed(name, "PermissionDenied", err)
		case err != nil:
			return failed(name, "UnknownError", err)
		}
	}
	return nil
}

func (ps *processes) startRuntime() *death {
	p, err := ps.start("", ps.fn.path, ps.variables, telemetry.Function)
	if err != nil {
		return &death{TypeEntrypoint, err.Error()}
	}
	ps.runtime = p
	return nil
}

// deathOf returns why the environment ends with a program. An error that an extension
// has reported comes first.
func (ps *processes) deathOf(p *programs.Program) death {
	d := exitDeath(p.Err())
	if p.Name != "" {
		d = death{TypeExtensionCrash, "exit code 0"}
		if err := p.Err(); err != nil {
			d.reason = err.Error()
		}
	}
	if fault := ps.env.extensions.Fault(); fault != "" {
		d.errorType = fault
	}
	return d
}

// deathAfterError waits a little for a program that has reported an error to end.
func (ps *processes) deathAfterError() death {
	select {
	case p := <-ps.Exited:
		return ps.deathOf(p)
	case <-time.After(ps.fn.shutdown.Report):
	}
	if fault := ps.env.extensions.Fault(); fault != "" {
		return death{fault, "the extension reported an error and did not exit"}
	}
	return death{TypeExit, "the runtime reported an error and did not exit"}
}

// overMemory kills the program that holds the most, when all together hold more than
// the function has.
func (ps *processes) overMemory() *death {
	total, largest := ps.Memory()
	ps.env.peak.Store(max(ps.env.peak.Load(), total))
	if total <= int64(ps.fn.cfg.Memory)<<20 {
		return nil
	}
	largest.Kill()
	d := ps.deathOf(largest)
	if largest == ps.runtime {
		d.errorType = TypeOutOfMemory
	}
	return &d
}
