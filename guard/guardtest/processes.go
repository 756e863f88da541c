package guardtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/process"
)

// Processes are the programs of an environment: the extensions and the runtime.
type processes struct {
	fn         *Function
	env        *environment
	variables  []string // of the runtime
	extensions []*program
	runtime    *program      // nil until it is started
	exited     chan *program // each that has ended
}

type program struct {
	*process.Process
	extension *extension // nil for the runtime
}

// shutdownLimits are how long the shutdown phase may take. Without an extension the
// runtime is killed at once. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
type shutdownLimits struct {
	runtime  time.Duration // for the runtime, with extensions beside it only
	internal time.Duration // for the runtime, with extensions inside it
	all      time.Duration // for the runtime and the extensions beside it
}

var lambdasShutdown = shutdownLimits{
	runtime:  300 * time.Millisecond,
	internal: 500 * time.Millisecond,
	all:      2 * time.Second,
}

func newProcesses(f *Function, env *environment) *processes {
	return &processes{
		fn:        f,
		env:       env,
		variables: f.environment(env.addr),
		exited:    make(chan *program, maxExtensions+1),
	}
}

// extensionFiles returns the names of the files in the folder, which Lambda starts:
// none of its folders.
func extensionFiles(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func (ps *processes) start(path string, variables []string, x *extension) (*program, error) {
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = ps.fn.cfg.Dir, variables
	proc, err := process.Start(cmd, ps.fn.log)
	if err != nil {
		return nil, err
	}
	p := &program{Process: proc, extension: x}
	go func() {
		<-proc.Exited
		ps.exited <- p
	}()
	return p, nil
}

func (ps *processes) startExtensions() *death {
	ps.env.from.mu.Lock()
	launched := slices.Clone(ps.env.extensions) // before any other can register
	ps.env.from.mu.Unlock()
	for i, x := range launched {
		if i == maxExtensions {
			return ps.launchFailed(x, "TooManyExtensions", fmt.Errorf("%d extensions, of %d that a function may have", len(launched), maxExtensions))
		}
		p, err := ps.start(filepath.Join(ps.fn.cfg.Extensions, x.name), extensionVariables(ps.variables), x)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return ps.launchFailed(x, "PermissionDenied", err)
		case err != nil:
			return ps.launchFailed(x, "UnknownError", err)
		}
		ps.extensions = append(ps.extensions, p)
	}
	return nil
}

func (ps *processes) launchFailed(x *extension, errorType string, err error) *death {
	ps.env.from.mu.Lock()
	defer ps.env.from.mu.Unlock()
	x.state, x.errorType = stateLaunchError, errorType
	return &death{TypeExtensionLaunch, err.Error()}
}

func (ps *processes) startRuntime() *death {
	p, err := ps.start(ps.fn.path, ps.variables, nil)
	if err != nil {
		return &death{TypeEntrypoint, err.Error()}
	}
	ps.runtime = p
	return nil
}

// deathOf returns why the environment ends with a program.
func (ps *processes) deathOf(p *program) death {
	if p.extension == nil {
		return exitDeath(p.Err())
	}
	reason := "exit code 0"
	if err := p.Err(); err != nil {
		reason = err.Error()
	}
	ps.env.from.mu.Lock()
	defer ps.env.from.mu.Unlock()
	if ps.env.extensionError != "" {
		return death{ps.env.extensionError, reason}
	}
	return death{TypeExtensionCrash, reason}
}

// deathAfterError waits a little for a program that has reported an error to end.
func (ps *processes) deathAfterError() death {
	select {
	case p := <-ps.exited:
		return ps.deathOf(p)
	case <-time.After(errorGrace):
	}
	ps.env.from.mu.Lock()
	defer ps.env.from.mu.Unlock()
	if ps.env.extensionError != "" {
		return death{ps.env.extensionError, "the extension reported an error and did not exit"}
	}
	return death{TypeExit, "the runtime reported an error and did not exit"}
}

// overMemory returns the program that holds the most, when all together hold more
// than the function has.
func (ps *processes) overMemory() *program {
	var total, most int64
	var largest *program
	for _, p := range ps.all() {
		held := p.Memory()
		total += held
		if held > most {
			most, largest = held, p
		}
	}
	if total <= int64(ps.fn.cfg.Memory)<<20 {
		return nil
	}
	return largest
}

func (ps *processes) all() []*program {
	if ps.runtime == nil {
		return ps.extensions
	}
	return append(slices.Clone(ps.extensions), ps.runtime)
}

// shutdown ends the programs: the runtime, then the extensions. None is left on
// return. Also after a timeout the runtime gets SIGTERM if there are extensions, as
// with Lambda's emulator.
func (ps *processes) shutdown(reason string) {
	limits := ps.fn.shutdown
	begun := time.Now()
	if ps.runtime != nil {
		inside := func(x *extension) bool { return !x.launched }
		switch {
		case ps.env.hasExtension(inside):
			ps.env.announceShutdown(reason, begun.Add(limits.internal), inside)
			ps.runtime.Stop(limits.internal)
		case len(ps.extensions) > 0:
			ps.runtime.Stop(limits.runtime)
		default:
			ps.runtime.Kill()
		}
	}
	deadline := begun.Add(limits.all)
	ps.env.announceShutdown(reason, deadline, func(x *extension) bool { return x.launched })
	var ending sync.WaitGroup
	for _, p := range ps.extensions {
		ending.Go(func() {
			told := func(x *extension) bool { return x == p.extension && x.hears(eventShutdown) }
			if ps.env.hasExtension(told) {
				select {
				case <-p.Exited:
				case <-time.After(time.Until(deadline)):
				}
			}
			p.Kill()
		})
	}
	ending.Wait()
}

// maxUnzipped is how much a function's code and layers may have, in bytes.
const maxUnzipped = 262144000

// checkExtensions returns the absolute path of the folder. The error is Lambda's when
// it and the function's binary are too large together. How many layers a folder was
// made of cannot be seen.
func checkExtensions(dir, binary string) (string, error) {
	if dir == "" {
		return "", nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	var size int64
	if info, err := os.Stat(binary); err == nil {
		size = info.Size()
	}
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err == nil && size > maxUnzipped {
		err = fmt.Errorf("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", maxUnzipped, size)
	}
	return dir, err
}
