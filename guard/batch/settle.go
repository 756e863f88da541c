package batch

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/random"
)

// settle decides what becomes of a record that failed: it goes to the sink, or it
// comes again, perhaps later. ctx is that of the record, without the end that its
// function had.
func (b *batch[R]) settle(ctx context.Context, it *item[R]) {
	message := "record failed"
	var refused error // by the sink
	if b.isGivenUp(it) {
		refused = inTime(ctx, func(ctx context.Context) error { return b.bury(ctx, it) })
		if it.done = refused == nil; it.done {
			message = "record dead-lettered"
		}
	}
	attrs := []slog.Attr{slog.String("source", it.info.Source)}
	if it.info.Attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", it.info.Attempt))
	}
	layer.LogError(ctx, message, it.err, attrs...)
	if refused != nil {
		layer.LogError(ctx, "dead letter not sent", refused)
	}
	if !it.done && b.delayer != nil {
		b.delay(ctx, it)
	}
}

// isGivenUp reports whether a record goes to the sink.
func (b *batch[R]) isGivenUp(it *item[R]) bool {
	if b.sink == nil {
		return false
	}
	return !guard.KindOf(it.err).Retryable() || b.maxReceives > 0 && it.info.Attempt >= b.maxReceives
}

// bury sends a record to the sink.
func (b *batch[R]) bury(ctx context.Context, it *item[R]) error {
	b.rawOnce.Do(func() { b.raws, b.rawErr = b.raw(b.ev) })
	if b.rawErr != nil {
		return b.rawErr
	}
	now := time.Now().UTC().Round(0)
	public := guard.Public(it.err)
	letter := DeadLetter{
		Trigger: b.trigger, Record: b.raws[it.index],
		Source: it.info.Source, ID: it.info.ID, Group: it.info.Group, Attempts: it.info.Attempt,
		Code: public.Code, Detail: public.Detail,
		FirstFailure: it.info.FirstReceived, LastFailure: now,
	}
	if letter.FirstFailure.IsZero() {
		letter.FirstFailure = now
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		letter.RequestID, letter.FunctionARN = lc.AwsRequestID, lc.InvokedFunctionArn
	}
	if err := b.sink.Send(ctx, letter); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deadLettered++
	return nil
}

// delay makes a message come later.
func (b *batch[R]) delay(ctx context.Context, it *item[R]) {
	message := any(it.record).(events.SQSMessage)
	err := inTime(ctx, func(ctx context.Context) error {
		if d := b.later(it); d > 0 {
			return b.delayer.Delay(ctx, message, d)
		}
		return nil
	})
	if err != nil {
		layer.LogError(ctx, "message not delayed", err)
	}
}

// later returns how much later a message is to come, 0 if the queue decides.
func (b *batch[R]) later(it *item[R]) time.Duration {
	d := min(guard.Public(it.err).RetryAfter, longestDelay)
	if d > 0 {
		d += random.N(d/10 + 1) // so that what failed together does not come together
	} else {
		d = b.backoff(max(1, it.info.Attempt))
	}
	return min(d, longestDelay)
}

// inTime calls fn, which is a sink or a delayer, and returns a panic as an error. Its
// context ends while there is time to answer. Without that time it is not called.
func inTime(ctx context.Context, fn func(context.Context) error) error {
	run := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { return nil, fn(ctx) })
	brief := guard.Deadline(answerTime/2, guard.MinRemaining(0), guard.KeepLateAnswers())
	_, err := guard.Wrap(run, guard.Recover(), brief).Invoke(ctx, nil)
	return err
}
