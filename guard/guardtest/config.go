package guardtest

import (
	"cmp"
	"fmt"
	"io"
	"time"
)

// Config describes a function as its settings in Lambda would. The zero value
// is a function with Lambda's own defaults.
type Config struct {
	// Name of the function; "function" when empty.
	Name string

	// Version of the function; "$LATEST" when empty.
	Version string

	// ARN that invocations carry; made of Region, [AccountID] and Name when empty.
	ARN string

	// Region the function believes to be in; "us-east-1" when empty.
	Region string

	// AvailabilityZoneID is that of the metadata endpoint, for the processes of a
	// [Function]; "use1-az1" when empty.
	AvailabilityZoneID string

	// Memory in MB, 128 when 0. On Linux a process of a [Function] that holds more
	// with its extensions is killed and reported as Runtime.OutOfMemory; if an extension
	// holds the most it is killed, as Extension.Crash. Elsewhere only the function's
	// environment says so.
	Memory int

	// Timeout of one invocation, counted from the moment the function takes it;
	// 3 seconds when 0.
	Timeout time.Duration

	// InitTimeout is how long a process of a [Function] may take until it asks
	// for its first invocation; 10 seconds when 0.
	InitTimeout time.Duration

	// Concurrency is how many invocations one process of a [Function] takes at
	// once (AWS_LAMBDA_MAX_CONCURRENCY); 1 when 0.
	Concurrency int

	// Instances is how many processes a [Function] may have, started on demand;
	// 1 when 0. Invocations beyond Instances times Concurrency wait.
	Instances int

	// SnapStart has a process wait for its restore after its init, as SnapStart does, if
	// it asks the Runtime API for that. The invocation that a process is restored for
	// waits for the hooks, 10 seconds at most. [Function.Warm] returns before the
	// restore. Each process is restored once, from its own memory.
	SnapStart bool

	// Freeze stops a [Function]'s processes between invocations, as Lambda does: while
	// the runtime and the extensions all wait for their next event. It does nothing with
	// a Concurrency above 1, and where there is no SIGSTOP.
	Freeze bool

	// Dir is the working directory of a [Function] and its LAMBDA_TASK_ROOT; the
	// folder of the binary when empty.
	Dir string

	// Env holds further NAME=value variables for a [Function]; a later one wins
	// over an earlier one and over those that Lambda sets.
	Env []string

	// Extensions is a folder like Lambda's /opt/extensions; empty for none. A
	// [Function] starts each file in it, at most 10, beside each of its processes, and
	// nothing in its subfolders. Each registers under its file's name. It runs in Dir,
	// with the function's variables but those that Lambda hides from extensions. Its
	// output is part of the log. The folder and the binary may have 250 MiB together.
	Extensions string

	// Log receives a [Function]'s standard output and error, and Lambda's own lines
	// about failures; nil discards them. It is never written to concurrently.
	Log io.Writer
}

// AccountID is the AWS account of every function and API in this package.
const AccountID = "123456789012"

func (c Config) withDefaults() Config {
	c.Name = cmp.Or(c.Name, "function")
	c.Version = cmp.Or(c.Version, "$LATEST")
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.ARN = cmp.Or(c.ARN, fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", c.Region, AccountID, c.Name))
	c.AvailabilityZoneID = cmp.Or(c.AvailabilityZoneID, "use1-az1")
	c.Memory = cmp.Or(c.Memory, 128)
	c.Timeout = cmp.Or(c.Timeout, 3*time.Second)
	c.InitTimeout = cmp.Or(c.InitTimeout, 10*time.Second)
	c.Concurrency = cmp.Or(c.Concurrency, 1)
	c.Instances = cmp.Or(c.Instances, 1)
	if c.Memory < 0 || c.Timeout < 0 || c.InitTimeout < 0 || c.Concurrency < 0 || c.Instances < 0 {
		panic("guardtest: negative value in Config")
	}
	return c
}
