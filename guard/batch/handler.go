package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// answerTime is how long before the end of the batch the context of a record ends.
// Half of it is for the dead letter of a record that overran, the rest for the
// answer.
const answerTime = 100 * time.Millisecond

// source is what differs from one event source to another.
type source[R Record] struct {
	trigger guard.Trigger
	read    func(*guard.Event) ([]*item[R], error)
	raw     func(*guard.Event) ([]json.RawMessage, error) // in the same order
}

// fromFirst reports whether Lambda continues from the first failure that is listed.
// Of Kafka no page of AWS says that.
func (s source[R]) fromFirst() bool { return s.trigger == guard.Kinesis || s.trigger == guard.DynamoDB }

// isSQS reports whether the source is a queue, not a stream.
func (s source[R]) isSQS() bool { return s.trigger == guard.SQS }

// item is a record of a batch and what became of it.
type item[R Record] struct {
	index      int // in the event
	record     R
	info       Info
	identifier any    // for the answer
	lane       string // records of one lane run one after the other
	shard      string // a stream continues from the first failure in it

	place int // in its lane

	started bool
	done    bool
	err     error // why not
}

// handler is the handler of a batch.
type handler[R Record] struct {
	*config
	source[R]
	protected lambda.Handler // runs the record that its context has
}

type itemKey struct{}

func newHandler[R Record](name string, src source[R], fn func(context.Context, R) error, opts []Option) lambda.Handler {
	if fn == nil {
		panic(name + " of a nil function")
	}
	h := &handler[R]{config: newConfig(name, src.isSQS(), opts), source: src}
	run := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		it := ctx.Value(itemKey{}).(*item[R])
		it.started = true
		return nil, fn(ctx, it.record)
	})
	h.protected = guard.Wrap(run, guard.Recover(), guard.Deadline(answerTime, guard.MinRemaining(h.reserve)))
	return layer.NamedHandler(order.BatchHandler, guard.HandlerFunc(h.invoke))
}

func (h *handler[R]) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ev := guard.EventOf(ctx, payload)
	items, err := h.read(ev)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() <= 0 {
		ctx = context.WithoutCancel(ctx) // as guard.Deadline does
	}
	b := &batch[R]{handler: h, ev: ev, items: items}
	b.run(ctx)
	c := b.count()
	guard.AddAttrs(ctx, slog.Int("records", c.records), slog.Int("failed", c.failed),
		slog.Int("deadLettered", c.deadLettered), slog.Int("notStarted", c.notStarted))
	layer.Count(ctx, layer.Records, c.records)
	layer.Count(ctx, layer.RecordsFailed, c.failed)
	layer.Count(ctx, layer.RecordsDeadLettered, c.deadLettered)
	layer.Count(ctx, layer.RecordsNotStarted, c.notStarted)
	if c.records > 0 && c.notStarted == c.records && items[0].err != nil {
		layer.SetError(ctx, items[0].err) // no_time_left: the function's timeout may be too short for any record
	}
	lost := c.failed + c.notStarted
	if lost > 0 && (h.failWhole || h.failAll && lost == c.records) {
		return nil, &guard.Error{Kind: guard.Internal, Code: "batch_failed", Detail: fmt.Sprintf("%d of %d records failed.", lost, c.records)}
	}
	return b.answer()
}

// runItem runs one record, and settles what becomes of it.
func (b *batch[R]) runItem(ctx context.Context, it *item[R]) {
	it.info.Index = it.index
	// The record is a part of the invocation: its log and its facts are its own.
	inner := context.WithValue(invocation.BeginRecord(ctx, it.info.ID), infoKey{}, &it.info)
	var err error
	switch {
	case ctx.Err() != nil:
		return
	case b.maxReceives > 0 && it.info.Attempt-b.maxReceives > it.place:
		// What follows it in its group was received as often, and may never have run.
		// If it is what ends the process, it is given up one receive later.
		it.started = true
		err = &guard.Error{Kind: guard.Unprocessable, Code: "too_many_receives", Detail: fmt.Sprintf("The message was received %d times.", it.info.Attempt)}
	default:
		_, err = b.protected.Invoke(context.WithValue(inner, itemKey{}, it), nil)
	}
	if err == nil {
		it.done = true
		return
	}
	it.err = err
	if !it.started {
		return
	}
	b.settle(inner, it)
}
