package source_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// invoker is a function without a handler.
type invoker func(context.Context, guardtest.Call) (guardtest.Result, error)

func (f invoker) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	return f(ctx, call)
}

func handled(handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) guardtest.Invoker {
	return guardtest.NewInProcess(lambda.NewHandler(handler), guardtest.Config{})
}

// send puts messages into a queue, of a group if that is not empty.
func send(t *testing.T, q *queue.Queue, group string, bodies ...string) (ids []string) {
	t.Helper()
	for _, body := range bodies {
		m := queue.Message{Body: body, Group: group}
		if group != "" {
			m.Deduplication = body
		}
		id, err := q.Send(m)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func drain(t *testing.T, q *queue.Queue) {
	t.Helper()
	if err := q.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}
