// Command redrive is an example of a tool that runs dead letters again. On a machine
// it is a command, in Lambda a function that a schedule invokes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		serve()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stderr))
}

// serve runs dead letters again whenever the function is invoked. The event is not
// read.
func serve() {
	log := logging.New(os.Stdout)
	s := settings{
		from: os.Getenv("REDRIVE_FROM"), function: os.Getenv("REDRIVE_FUNCTION"), save: os.Getenv("REDRIVE_SAVE"),
		rate: 10, visible: visible,
	}
	c, err := connect(context.Background(), s)
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(guard.Func(func(ctx context.Context, _ struct{}) (report, error) {
		return c.redrive(log).run(ctx)
	}), guard.Default(log))
}

// command runs dead letters again, and returns the exit code: 1 if any is left that
// has failed, 2 for a use that is wrong.
func command(ctx context.Context, args []string, w io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("redrive", flag.ContinueOnError)
	flags.SetOutput(w)
	flags.StringVar(&s.from, "from", "", "`where` the dead letters are: the URL of a queue, or s3://bucket/prefix")
	flags.StringVar(&s.function, "function", "", "the `name` or the ARN of the function that runs them again")
	flags.StringVar(&s.to, "to", "", "the `URL` of a queue that they are sent to, in place of a function")
	flags.StringVar(&s.save, "save", "", "`where` each is saved first: a folder, or s3://bucket/prefix")
	flags.StringVar(&s.payloads, "payloads", "", "the `bucket` of letters that were too large for a message")
	flags.Float64Var(&s.rate, "rate", 10, "`how many` a second, at most")
	flags.IntVar(&s.max, "max", 0, "`how many` in all, at most; 0 is no limit")
	flags.BoolVar(&s.dryRun, "dry-run", false, "say what would run, and change nothing")
	flags.DurationVar(&s.visible, "visibility", visible, "`how long` a message is invisible to others, longer than the function takes")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(w, "redrive: %q is no flag\n", flags.Arg(0))
		return 2
	}
	c, err := connect(ctx, s)
	if err != nil {
		fmt.Fprintln(w, "redrive:", err)
		return 2
	}
	log := slog.New(slog.NewTextHandler(w, nil))
	switch _, err := c.redrive(log).run(ctx); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "redrive: interrupted; what has not run stays where it is:", err)
		return 1
	case err != nil:
		fmt.Fprintln(w, "redrive:", err)
		return 1
	}
	return 0
}

// visible is longer than any function runs.
const visible = 16 * time.Minute
