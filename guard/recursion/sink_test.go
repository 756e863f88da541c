package recursion_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
)

// A batch that sends on what it gets ends in the sink, with the reason.
func TestALoopGoesToTheSink(t *testing.T) {
	c := setUp(t)
	const limit = 4
	runs := 0
	var letters []batch.DeadLetter
	sink := batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
		letters = append(letters, l)
		return nil
	})
	forward := func(ctx context.Context, _ events.SQSMessage) error {
		runs++
		return c.ways()["Publish"](ctx)
	}
	layers := batch.Chain(forward, recursion.Records[events.SQSMessage](limit), batch.Unwrap)
	h := guard.Wrap(batch.SQS(layers, batch.DeadLetters(sink)))
	if err := c.ways()["SendMessage"](t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 * limit {
		received := c.receive(t)
		if len(received.Records) == 0 {
			break
		}
		answer, err := h.Invoke(t.Context(), encode(t, received))
		if err != nil || string(answer) != `{"batchItemFailures":[]}` {
			t.Fatalf("got %s, %v, want no failures", answer, err)
		}
	}
	if runs != limit || len(letters) != 1 || letters[0].Code != "loop" {
		t.Errorf("got %d runs and letters %+v, want %d and one for the loop", runs, letters, limit)
	}
}
