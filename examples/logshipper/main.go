// Command logshipper is a Lambda extension that stores what a function logs, and what
// Lambda says of it, in S3. The function beside it may be written in any language.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/extension"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// record is one of the Telemetry API.
type record = extension.Record

// spare is how long before a deadline of Lambda the shipper is done.
const spare = 100 * time.Millisecond

func main() {
	log := logging.New(os.Stdout)
	if err := run(context.Background(), log); err != nil {
		log.Error("the shipper ends", "cause", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	settings, wrong := readSettings()
	var opts []extension.Option
	if settings.hold == 0 { // no invocation waits for the shipper, in no way
		opts = append(opts, extension.ShutdownOnly())
	}
	ext, err := extension.Register(ctx, opts...)
	if err != nil {
		return err
	}
	if wrong != nil {
		return errors.Join(wrong, ext.InitError(ctx, wrong))
	}
	bucket, err := openBucket(ctx, settings)
	if err != nil {
		return errors.Join(err, ext.InitError(ctx, err))
	}
	s := newShipper(newBuffer(settings, ext.FunctionName), bucket, log)
	err = ext.Subscribe(ctx, extension.Telemetry{
		// Not the lines of extensions: those of the shipper are among them.
		Streams: []extension.Stream{extension.Platform, extension.Function},
		// Lambda drops what does not fit, when a function logs much at once.
		MaxItems: 10_000,
		MaxBytes: 1 << 20,
		Timeout:  100 * time.Millisecond, // Close waits longer for the last batch
	}, s.buffer.take)
	if err != nil {
		return errors.Join(err, ext.InitError(ctx, err))
	}

	s.start(ctx)
	for event, err := range ext.Events(ctx) {
		switch event := event.(type) {
		case extension.Invoke:
			s.hold(min(settings.hold, time.Until(event.Deadline)-spare))
		case extension.Shutdown:
			end(ctx, ext, s, event.Deadline)
		default:
			end(ctx, ext, s, time.Now().Add(time.Second))
			return errors.Join(err, ext.ExitError(ctx, err))
		}
	}
	return nil
}

// end takes the last records and stores what there is, until the deadline. Half of the
// time is for storing.
func end(ctx context.Context, ext *extension.Extension, s *shipper, deadline time.Time) {
	deadline = deadline.Add(-spare)
	taking, stop := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer stop()
	if err := ext.Close(taking); err != nil {
		s.log.Warn("some telemetry was refused", "cause", err.Error())
	}
	storing, stop := context.WithDeadline(ctx, deadline)
	defer stop()
	s.finish(storing)
}
