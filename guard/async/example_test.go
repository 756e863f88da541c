package async_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/async"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func book(_ context.Context, e events.SNSEvent) (struct{}, error) {
	if e.Records[0].SNS.Message == "" {
		return struct{}{}, guard.Errorf(guard.Invalid, "no_message", "The notification has no message.")
	}
	return struct{}{}, errors.New("the ledger does not answer")
}

// A function for a topic. The sink would be one of package sqsdead or s3dead.
func Example() {
	var sink batch.Sink = batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
		fmt.Println("kept:", l.Code, l.ID, l.Source)
		return nil
	})
	h := guard.Wrap(guard.Func(book), guard.Default(slog.New(slog.DiscardHandler)), async.DeadLetter(sink))

	_, err := h.Invoke(context.Background(), sample.Of(guard.SNS).Set("/Records/0/Sns/Message", "").Bytes())
	fmt.Println("never succeeds:", err)
	_, err = h.Invoke(context.Background(), sample.Of(guard.SNS).Bytes())
	fmt.Println("may succeed later:", err != nil)
	// Output:
	// kept: no_message 95df01b4-ee98-5cb9-9903-4c221d410001 arn:aws:sns:us-east-1:123456789012:orders
	// never succeeds: <nil>
	// may succeed later: true
}

// In main, the layer stands after guard.Default.
func ExampleDeadLetter() {
	var sink batch.Sink // sqsdead.New(…) or s3dead.New(…)

	guard.Start(guard.Func(book), guard.Default(logging.New(os.Stdout)), async.DeadLetter(sink))
}

// A folder as a sink, for runs on a laptop.
func ExampleDeadLetter_folder() {
	folder := batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
		return os.WriteFile(os.TempDir()+"/"+l.RequestID+".json", l.Record, 0o600)
	})

	guard.Start(guard.Func(book), guard.Default(logging.New(os.Stdout)), async.DeadLetter(folder))
}
