package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// A Store holds the messages of a queue. A [Queue] has one of its own; package sqspoll
// has one for a real SQS API. The methods are called concurrently.
type Store interface {
	// Receive returns up to max messages, at most ten, which it hides for the
	// visibility timeout. It waits for the first until a time, or until ctx ends; the
	// zero time is no bound. It may return none before.
	Receive(ctx context.Context, max int, until time.Time) ([]Received, error)

	// Delete removes messages and returns those that it could not.
	Delete(ctx context.Context, messages []Received) (kept []Received, err error)

	// Release makes messages visible that were received and not delivered.
	Release(ctx context.Context, messages []Received) error
}

// StoreConfig is what a poller has to know of a Store's queue.
type StoreConfig struct {
	ARN               string
	VisibilityTimeout time.Duration
}

// A Poller calls a function with the messages of a Store.
type Poller struct {
	fn     guardtest.Invoker
	store  Store
	cfg    Mapping
	queue  StoreConfig
	clock  *timeline.Timeline
	ledger *book.Book
}

// NewPoller returns a Poller of a store in real time. Its ledger begins with the first
// receipt of a message. Redrives happen in the store, so that a message of a dead-letter
// queue stays waiting in the ledger. NewPoller panics if the mapping cannot be.
func NewPoller(fn guardtest.Invoker, store Store, queue StoreConfig, cfg Mapping) *Poller {
	if fn == nil || store == nil {
		panic("queue: NewPoller needs a function and a store")
	}
	ledger := book.New(cfg.CountOnly)
	return newPoller(fn, &recorded{store, ledger, time.Now}, queue, cfg.withDefaults(isFIFO(queue.ARN)), timeline.Real(), ledger)
}

func newPoller(fn guardtest.Invoker, store Store, queue StoreConfig, cfg Mapping, clock *timeline.Timeline, ledger *book.Book) *Poller {
	return &Poller{fn: fn, store: store, cfg: cfg, queue: queue, clock: clock, ledger: ledger}
}

func isFIFO(name string) bool { return strings.HasSuffix(name, ".fifo") }

// Ledger returns the record of what the poller did.
func (p *Poller) Ledger() source.Ledger { return p.ledger.Ledger() }

// Run calls the function until ctx ends, and then waits for the invocations under way.
// Messages that were received and not delivered are visible again, and those of failed
// batches after their visibility timeout. It returns nil, or why it could not go on: the
// function is closed, or the store failed.
func (p *Poller) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	var failed error
	var once sync.Once
	for range p.cfg.MaximumConcurrency {
		p.clock.Enter()
	}
	for range p.cfg.MaximumConcurrency {
		running.Go(func() {
			defer p.clock.Leave()
			for ctx.Err() == nil {
				if err := p.poll(ctx); err != nil {
					once.Do(func() { failed = err; cancel(err) })
				}
			}
		})
	}
	running.Wait()
	return failed
}

// poll receives one batch, and calls the function with it.
func (p *Poller) poll(ctx context.Context) error {
	b, err := p.gather(ctx)
	if err == nil && len(b.messages) > 0 {
		err = p.deliver(ctx, b)
	}
	var stop *stopError
	switch {
	case err == nil || errors.As(err, &stop) && ctx.Err() != nil:
		return nil
	case errors.As(err, &stop) || p.cfg.OnError == nil:
		return err
	}
	p.cfg.OnError(err)
	p.clock.Sleep(ctx, time.Second)
	return nil
}

// A stopError ends the poller: the function cannot be called any more.
type stopError struct{ err error }

func (e *stopError) Error() string { return "queue: the function was not called: " + e.err.Error() }
func (e *stopError) Unwrap() error { return e.err }

type batch struct {
	messages []Received
	records  [][]byte
	size     int       // of the event
	received time.Time // of the first message
}

// gather returns a batch once it has BatchSize messages, 6 MB, or after its window.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (p *Poller) gather(ctx context.Context) (batch, error) {
	b := batch{size: len(eventBegin) + len(eventEnd)}
	var end time.Time // of the window
	for {
		got, err := p.store.Receive(ctx, min(maxReceive, p.cfg.BatchSize-len(b.messages)), end)
		if err != nil || ctx.Err() != nil {
			return batch{}, errors.Join(ignoreEnd(ctx, err), p.release(ctx, append(b.messages, got...)))
		}
		now := p.clock.Now()
		for i, m := range got {
			if m.at.IsZero() {
				m.at = now
			}
			text := wire.Marshal(newRecord(m, p.queue.ARN))
			if matches, err := p.filter(ctx, m, text); err != nil {
				return batch{}, errors.Join(err, p.release(ctx, append(b.messages, got[i:]...)))
			} else if !matches {
				continue
			}
			if b.size+len(text)+1 > wire.MaxEvent {
				return b, p.release(ctx, got[i:])
			}
			if len(b.messages) == 0 {
				b.received, end = m.at, now.Add(p.cfg.BatchWindow)
			}
			b.messages, b.records = append(b.messages, m), append(b.records, text)
			b.size += len(text) + 1
		}
		if len(b.messages) > 0 && (len(b.messages) == p.cfg.BatchSize || !now.Before(end)) {
			return b, nil
		}
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (p *Poller) release(ctx context.Context, messages []Received) error {
	if len(messages) == 0 {
		return nil
	}
	return p.store.Release(context.WithoutCancel(ctx), messages)
}

// filter deletes a message that does not match, as Lambda does.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-message-queue
func (p *Poller) filter(ctx context.Context, m Received, record []byte) (bool, error) {
	if p.cfg.Filter == nil {
		return true, nil
	}
	if matches, err := p.cfg.Filter.Match(record); err == nil && matches {
		return true, nil
	}
	p.ledger.Filtered(m.ID, p.clock.Now())
	_, err := p.store.Delete(context.WithoutCancel(ctx), []Received{m})
	return false, err
}

// deliver calls the function once, or again while it is throttled, and deletes what
// succeeded. What failed stays hidden until its visibility timeout ends.
func (p *Poller) deliver(ctx context.Context, b batch) error {
	call := guardtest.Call{Payload: event(b.records), RequestID: ids.UUID()}
	number := p.ledger.Batch(call.RequestID, p.clock.Now(), deliveries(b.messages))
	// The end of ctx stops the poller, not the function: that has its own timeout.
	result, err := p.fn.Do(context.WithoutCancel(ctx), call)
	for pause := time.Second; errors.Is(err, source.ErrThrottled); pause = min(2*pause, time.Minute) {
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy
		if !p.clock.Now().Add(pause).Before(b.received.Add(p.queue.VisibilityTimeout)) {
			return p.failBatch(b, call, number, source.Throttled, err)
		}
		p.clock.Sleep(ctx, pause)
		if ctx.Err() != nil {
			return errors.Join(p.failBatch(b, call, number, source.NotCalled, err), p.release(ctx, b.messages))
		}
		result, err = p.fn.Do(context.WithoutCancel(ctx), call)
	}
	var failure *guardtest.FunctionError
	switch {
	case errors.As(err, &failure):
		return p.failBatch(b, call, number, failure.Type, err)
	case err != nil:
		return errors.Join(&stopError{err}, p.failBatch(b, call, number, source.NotCalled, err), p.release(ctx, b.messages))
	}
	var failed map[string]bool
	if p.cfg.ReportBatchItemFailures {
		inBatch := map[string]bool{}
		for _, m := range b.messages {
			inBatch[m.ID] = true
		}
		if failed, err = wire.Failures(result.Payload, wire.TextID, func(id string) bool { return inBatch[id] }); err != nil {
			return p.failBatch(b, call, number, source.BadAnswer, fmt.Errorf("queue: %w", err))
		}
	}
	return p.settle(ctx, b, call, number, failed)
}

func deliveries(messages []Received) []book.Delivered {
	list := make([]book.Delivered, len(messages))
	for i, m := range messages {
		list[i] = book.Delivered{ID: m.ID, Attempt: m.receiveCount(), Received: m.at}
	}
	return list
}

func (p *Poller) failBatch(b batch, call guardtest.Call, number int, why string, err error) error {
	for _, m := range b.messages {
		p.ledger.Failed(m.ID, number, why)
	}
	p.report(source.BatchReport{Number: number, RequestID: call.RequestID, Messages: len(b.messages), Failed: len(b.messages), Err: err})
	return nil
}

// settle deletes the messages that did not fail.
func (p *Poller) settle(ctx context.Context, b batch, call guardtest.Call, number int, failed map[string]bool) error {
	var done []Received
	for _, m := range b.messages {
		if failed[m.ID] {
			p.ledger.Failed(m.ID, number, source.Reported)
		} else {
			done = append(done, m)
		}
	}
	var err error
	comeAgain := len(failed)
	if len(done) > 0 {
		var kept []Received
		kept, err = p.store.Delete(context.WithoutCancel(ctx), done)
		for _, m := range kept {
			p.ledger.Failed(m.ID, number, source.NotDeleted)
			if e, ok := p.ledger.Entry(m.ID); ok && e.Outcome == source.Waiting { // not deleted by the function
				comeAgain++
			}
		}
	}
	p.report(source.BatchReport{Number: number, RequestID: call.RequestID, Messages: len(b.messages), Failed: comeAgain})
	return err
}

func (p *Poller) report(r source.BatchReport) {
	if p.cfg.OnBatch != nil {
		p.cfg.OnBatch(r)
	}
}
