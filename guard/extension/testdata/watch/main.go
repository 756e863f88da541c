// Command watch is an extension that writes what it hears of. The variable WATCH says
// what it does besides.
package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/extension"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Println("watch failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ext, err := extension.Register(ctx)
	if err != nil {
		return err
	}
	fmt.Println("watch beside", ext.FunctionName, ext.FunctionVersion, ext.Handler, ext.AccountID)
	switch os.Getenv("WATCH") {
	case "init error":
		err := &guard.Error{Code: "ConfigMissing"}
		return fmt.Errorf("%w, %v", err, ext.InitError(ctx, err))
	case "telemetry":
		if err := ext.Subscribe(ctx, extension.Telemetry{Timeout: 25 * time.Millisecond}, watch); err != nil {
			return err
		}
	}
	for event, err := range ext.Events(ctx) {
		if err != nil {
			return err
		}
		switch event := event.(type) {
		case extension.Invoke:
			fmt.Println("watch invoke", event.RequestID, event.ARN, time.Until(event.Deadline) > 0, event.TraceID)
			if os.Getenv("WATCH") == "exit error" {
				return fmt.Errorf("%w, %v", guard.Reason("tired"), ext.ExitError(ctx, guard.Reason("tired")))
			}
		case extension.Shutdown:
			last, stop := context.WithDeadline(ctx, event.Deadline)
			fmt.Println("watch shutdown", event.Reason, "close:", ext.Close(last))
			stop()
		}
	}
	fmt.Println("watch ends")
	return nil
}

var failed atomic.Bool

// watch refuses the first batch, which comes again.
func watch(_ context.Context, batch []extension.Record) error {
	if !failed.Swap(true) {
		return guard.Reason("not yet")
	}
	for _, record := range batch {
		switch p := record.Platform().(type) {
		case nil:
			fmt.Printf("watch record %s %q\n", record.Type, record.Text())
		case extension.Start:
			fmt.Printf("watch record %s %s\n", record.Type, p.RequestID)
		case extension.RuntimeDone:
			fmt.Printf("watch record %s %s %s\n", record.Type, p.RequestID, p.Status)
		case extension.Report:
			fmt.Printf("watch record %s %s %s %t\n", record.Type, p.RequestID, p.Status, p.Metrics.DurationMs > 0)
		default:
			fmt.Printf("watch record %s %+v\n", record.Type, p)
		}
	}
	return nil
}
