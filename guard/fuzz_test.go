package guard_test

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// Whatever arrives, the defended chain answers: with JSON, or with an error
// that has a stable type. It never panics.
//
// SECURITY: The process lives.
func FuzzDefendedChain(f *testing.F) {
	for _, s := range samples {
		f.Add(readSample(f, s.file))
	}
	f.Add(sample.Of(guard.VPCLattice).Bytes())
	for _, s := range strictness {
		if len(s.text) < 1<<10 {
			f.Add([]byte(s.text))
			f.Add(httpEvent(s.text, false))
			f.Add(httpEvent(s.text, true))
		}
	}
	layers := guard.Chain(guard.Log(logging.New(io.Discard)), guard.Errors(), guard.Recover(),
		guard.Limit(guard.Limits{}), guard.Deadline(300*time.Millisecond))
	// In one order, so that the fuzzer sees one input run one way.
	handlers := []struct {
		name string
		h    lambda.Handler
	}{
		{name: "typed", h: guard.Wrap(guard.Func(func(_ context.Context, in order) (order, error) { return in, nil }), layers)},
		{name: "any", h: guard.Wrap(guard.Func(func(_ context.Context, in any) (any, error) { return in, nil }), layers)},
		{
			name: "raw",
			h:    guard.Wrap(guard.Func(func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }), layers),
		},
		{
			name: "sqs",
			h:    guard.Wrap(guard.Func(func(_ context.Context, in events.SQSEvent) (any, error) { return in, nil }), layers),
		},
		{name: "views", h: guard.Wrap(guard.HandlerFunc(readAllViews), layers)},
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		ctx, cancel := context.WithTimeout(invocation(t.Context(), "r-1"), time.Hour)
		defer cancel()
		for _, c := range handlers {
			name := c.name
			out, err := c.h.Invoke(ctx, payload)
			own, ok := err.(messages.InvokeResponse_Error)
			switch {
			case err == nil && !json.Valid(out):
				t.Errorf("%s: the answer %q is not JSON", name, out)
			case err != nil && (!ok || own.Type == "" || own.Message == ""):
				t.Errorf("%s: the error %T %v has no type or says nothing", name, err, err)
			case err != nil && own.Type == "panic":
				t.Errorf("%s: %v", name, err)
			case err != nil && out != nil:
				t.Errorf("%s: an answer and an error", name)
			}
		}
	})
}

// readAllViews asks for all that an event can be read as, and demands that a
// body which decodes is the one that the tree shows.
func readAllViews(ctx context.Context, payload []byte) ([]byte, error) {
	e := guard.EventOf(ctx, payload)
	_, treeErr := e.Tree()
	if _, err := e.HTTP(); err == nil && treeErr != nil {
		panic("read as HTTP what has no tree")
	}
	var in order
	_, bodyTreeErr := e.BodyTree()
	if err := e.DecodeBody(&in); err != nil {
		return nil, err
	}
	if bodyTreeErr != nil {
		panic("decoded a body that has no tree")
	}
	return json.Marshal(in)
}
