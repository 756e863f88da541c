package stream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// A lane has the records that are delivered one batch after the other: those of a shard,
// of a part of its keys, or of a topic.
type lane struct {
	waiting []*record        // in order, and in no batch yet; guarded by Stream.mu
	waiter  *timeline.Waiter // of its poller, when that has nothing to do; guarded by Stream.mu

	// What follows is its poller's.
	batches []*batch      // to be delivered before what waits, in order
	due     time.Time     // of the first batch
	free    time.Time     // when the last delivery ended
	pause   time.Duration // before the next attempt, while the function is throttled
}

// A batch is delivered until it is done, discarded, or smaller: a part of it is another
// batch, with retries of its own.
type batch struct {
	records     []*record
	invocations int
}

// next takes the lane's next batch, or returns when it is due; the zero time when there is
// none. It is called with Stream.mu held.
//
// A batch goes when it is full, when its payload would be too large with one record
// more, or when the window has passed, which begins as soon as the last invocation has
// ended. See https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (l *lane) next(cfg Config, now time.Time) (b *batch, due time.Time) {
	switch {
	case len(l.batches) > 0:
		if l.due.After(now) {
			return nil, l.due
		}
		b, l.batches = l.batches[0], l.batches[1:]
		return b, time.Time{}
	case len(l.waiting) == 0:
		return nil, time.Time{}
	}
	n, full := cfg.fill(l.waiting)
	if !full {
		due = l.waiting[0].at
		if due.Before(l.free) {
			due = l.free
		}
		if due = due.Add(cfg.BatchWindow); due.After(now) {
			return nil, due
		}
	}
	b = &batch{records: slices.Clone(l.waiting[:n])}
	clear(l.waiting[:n]) // the array lives on
	l.waiting = l.waiting[n:]
	return b, time.Time{}
}

// fill returns how many of the records make a batch, and whether no further one fits. A
// record that is too large alone makes a batch of one.
func (c Config) fill(waiting []*record) (n int, full bool) {
	size := len(c.payload(nil))
	if c.Type == Kafka { // and the names of the partitions
		for partition := range c.Shards {
			size += len(wire.Marshal(c.shardID(partition))) + len(`:[],`)
		}
	}
	for n < len(waiting) && n < c.BatchSize {
		size += len(waiting[n].event) + 1
		if size > wire.MaxEvent {
			return max(n, 1), true
		}
		n++
	}
	return n, n == c.BatchSize
}

// poll delivers the lane's batches until ctx ends or the function cannot be called. The
// caller has entered the clock.
func (s *Stream) poll(ctx, invocation context.Context, l *lane) error {
	defer s.clock.Leave()
	for ctx.Err() == nil {
		s.mu.Lock()
		b, due := l.next(s.cfg, s.clock.Now())
		if b == nil {
			l.waiter = s.clock.Waiter(due, nil)
		}
		s.mu.Unlock()
		if b == nil {
			s.clock.Await(ctx, l.waiter)
			continue
		}
		err := s.invoke(invocation, l, b)
		l.free = s.clock.Now()
		if err != nil {
			return err
		}
	}
	return nil
}

// invoke returns an error if the function could not be called, or nobody waits for its
// answer any more. The batch then comes again, as if it had not been delivered.
func (s *Stream) invoke(ctx context.Context, l *lane, b *batch) error {
	b = s.dropOld(b)
	if len(b.records) == 0 {
		return nil
	}
	payload := s.cfg.payload(b.records)
	if len(payload) > wire.MaxEvent {
		s.discard(b, conditionTooLarge, nil)
		return nil
	}
	b.invocations++
	call := guardtest.Call{Payload: payload, RequestID: ids.UUID()}
	listed := make([]book.Delivered, len(b.records))
	for i, r := range b.records {
		listed[i] = book.Delivered{ID: r.id, Attempt: b.invocations}
	}
	number := s.ledger.Batch(call.RequestID, s.clock.Now(), listed)

	result, err := s.fn.Do(ctx, call)
	var failure *guardtest.FunctionError
	switch {
	case err == nil, ctx.Err() == nil && errors.As(err, &failure):
	case errors.Is(err, source.ErrThrottled):
		// Not a retry: it is delivered "until the records expire or exceed the maximum age".
		// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
		b.invocations--
		s.fail(b.records, number, source.Throttled)
		l.pause = min(max(2*l.pause, time.Second), time.Minute) // AWS publishes none
		l.comesAgain(s.clock.Now().Add(l.pause), b)
		return nil
	default:
		b.invocations--
		s.fail(b.records, number, source.NotCalled)
		l.comesAgain(s.clock.Now(), b)
		return err
	}
	l.pause = 0
	said, why := verdict{}, ""
	report := source.BatchReport{Number: number, RequestID: call.RequestID, Messages: len(b.records)}
	switch {
	case failure != nil:
		said, why, report.Err = verdict{whole: true}, failure.Type, failure
	case s.cfg.ReportBatchItemFailures:
		if said, report.Err = s.cfg.readAnswer(result.Payload, b.records); report.Err != nil {
			why = source.BadAnswer
		} else {
			why = source.Reported
		}
	}
	report.Failed = s.conclude(l, b, number, said, why, &response{requestID: call.RequestID, failed: failure != nil})
	if s.cfg.OnBatch != nil {
		s.cfg.OnBatch(report)
	}
	return nil
}

// conclude settles what is done of a batch, and arranges how the rest comes again. It
// returns how many these are.
func (s *Stream) conclude(l *lane, b *batch, number int, said verdict, why string, answered *response) int {
	done, again := said.rest(b.records)
	for _, r := range done {
		s.ledger.Settle(r.id, source.Done, "", s.clock.Now())
	}
	if len(again) == 0 {
		return 0
	}
	s.fail(again, number, why)

	now := s.clock.Now()
	switch {
	case len(again) < len(b.records):
		// The checkpoint has moved, so it is another batch. That its retries count from the
		// beginning was recorded at AWS: test_kinesis_report_batch_item_failures in
		// https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_/event_source_mapping.
		// https://github.com/floci-io/floci/pull/3428 lets the count go on.
		l.comesAgain(now.Add(backoff(1)), &batch{records: again})

	case s.cfg.BisectBatchOnFunctionError && len(again) > 1:
		// "If your invocation fails …, the batch is bisected regardless of your
		// ReportBatchItemFailures setting"; with a partial answer it is cut at the returned
		// sequence number, which happened above. When that is the batch's first record, AWS
		// does not say where. https://my-aws-notes.pages.dev/DynamoDB-Stream---Lambda-error-handling
		// saw the failing record alone in the destination, so it is cut in the middle here.
		// "Splitting batches doesn't consume the retry quota."
		// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
		// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
		half := len(again) / 2
		l.comesAgain(now, &batch{records: again[:half:half]}, &batch{records: again[half:]})

	case s.cfg.MaximumRetryAttempts != nil && b.invocations > *s.cfg.MaximumRetryAttempts:
		s.discard(b, conditionRetries, answered)

	default:
		l.comesAgain(now.Add(backoff(b.invocations)), b)
	}
	return len(again)
}

func (l *lane) comesAgain(due time.Time, batches ...*batch) {
	l.due = due
	l.batches = append(batches, l.batches...)
}

func (s *Stream) fail(records []*record, number int, why string) {
	for _, r := range records {
		s.ledger.Failed(r.id, number, why)
	}
}

// backoff is the pause before a batch's next delivery. AWS publishes none; eight
// deliveries within a minute, recorded in test_kinesis_maximum_record_age_exceeded of
// https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_/event_source_mapping,
// are those of pauses that begin at half a second and double.
func backoff(invocations int) time.Duration {
	const most = time.Minute
	if invocations > 8 {
		return most
	}
	return min(most, 500*time.Millisecond<<(invocations-1))
}
