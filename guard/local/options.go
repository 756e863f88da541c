package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

type options struct {
	addr        string
	routes      routes
	format      string
	timeout     time.Duration
	memory      int
	concurrency int
	instances   int
	env         []string
	event       string
	target      string
	grace       time.Duration // for the requests under way at the end

	authorizer authorizerOptions
	queue      sourceFlag
	stream     sourceFlag
}

// Lambda's bounds; see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxTimeout = 15 * time.Minute
	minMemory  = 128
	maxMemory  = 10240
)

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var envFile string
	o := options{grace: shutdownGrace}
	flags := flag.NewFlagSet("guard/local", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "where to `listen`; port 0 picks one and prints it")
	flags.Var(&o.routes, "route", "a `route`, repeatable: 'POST /orders', 'GET /orders/{id}', 'ANY /x/{proxy+}' (default: the routes of the SAM template beside the source, and $default)")
	flags.StringVar(&o.format, "format", "2.0", "payload format `version`, 2.0 or 1.0")
	flags.DurationVar(&o.timeout, "timeout", 29*time.Second, "of one invocation")
	flags.IntVar(&o.memory, "memory", minMemory, "of one process in `MB`")
	flags.IntVar(&o.concurrency, "concurrency", 1, "invocations that one process takes at once")
	flags.IntVar(&o.instances, "instances", 1, "processes, started on demand; requests beyond that wait")
	flags.StringVar(&envFile, "env", "", "a `file` of NAME=value lines")
	o.authorizer.define(flags)
	flags.Var(&o.queue, "queue", "put an SQS queue before the function: in memory, under a `name` behind a =, or the one at a URL (default: the queue of the SAM template beside the source)")
	flags.Var(&o.stream, "stream", "put a Kinesis stream in memory before the function, under a `name` behind a = (default: the stream of the SAM template beside the source)")
	flags.StringVar(&o.event, "event", "", "a `file`, or - for the standard input: invoke once with this event and print the answer")
	usage := func() {
		fmt.Fprintln(stderr, "usage: guard/local [flags] <package or bootstrap>")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	if err := flags.Parse(joinQueueURL(args)); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage()
		}
		return o, err
	}
	if flags.NArg() != 1 {
		usage()
		return o, fmt.Errorf("one package or bootstrap is needed, after the flags; got %q", flags.Args())
	}
	o.target = flags.Arg(0)
	if err := o.authorizer.check(flags); err != nil {
		return o, err
	}
	if err := o.check(); err != nil {
		return o, err
	}
	var err error
	o.env, err = readEnvFile(envFile)
	return o, err
}

func (o *options) check() error {
	switch {
	case o.timeout <= 0 || o.timeout > maxTimeout:
		return fmt.Errorf("-timeout %s is not between 0 and %s", o.timeout, maxTimeout)
	case o.memory < minMemory || o.memory > maxMemory:
		return fmt.Errorf("-memory %d is not between %d and %d", o.memory, minMemory, maxMemory)
	case o.concurrency < 1:
		return fmt.Errorf("-concurrency %d is less than 1", o.concurrency)
	case o.instances < 1:
		return fmt.Errorf("-instances %d is less than 1", o.instances)
	case o.event != "" && o.authorizer.target != "":
		return errors.New("-event invokes one function alone: run it without -authorizer, or with the authorizer as the function")
	}
	if o.event != "" && (o.queue.set || o.stream.set) {
		return errors.New("-event invokes the function once: run it without -queue and -stream")
	}
	_, err := o.api(functions{}, nil) // only to see whether routes and identity sources can be
	return err
}

// config describes the function.
func (o *options) config(t target, log io.Writer) guardtest.Config {
	region := os.Getenv("AWS_REGION")
	return guardtest.Config{
		Name:        t.name,
		Region:      region,
		Memory:      o.memory,
		Timeout:     o.timeout,
		Concurrency: o.concurrency,
		Instances:   o.instances,
		Dir:         t.dir,
		Env:         append(passedOn(os.Environ()), o.env...),
		Log:         log,
	}
}

// routes collects the values of a flag that can be repeated.
type routes []string

func (r *routes) String() string { return strings.Join(*r, ", ") }

func (r *routes) Set(key string) error {
	if err := gateway.CheckRoute(key); err != nil {
		return err
	}
	*r = append(*r, key)
	return nil
}
