package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

// A Mapping is an event source mapping: how Lambda reads a queue and calls a function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
type Mapping struct {
	// BatchSize is how many messages an event has at most, 10 when 0. More than 10 need
	// a BatchWindow of a second, and are at most 10 000.
	BatchSize int

	// BatchWindow is how long a batch waits for more messages after its first one, at
	// most 5 minutes. FIFO queues have none. A window that is not shorter than the
	// queue's visibility timeout brings messages twice.
	BatchWindow time.Duration

	// MaximumConcurrency is how many batches are with the function at once, at most
	// 1000 (ScalingConfig). It is 5 when 0, as Lambda begins with five. Lambda takes no
	// 1; here it makes the order of standard queues repeatable.
	MaximumConcurrency int

	// ReportBatchItemFailures is the function response type: the function's answer says
	// which messages failed. Without it the answer is ignored.
	ReportBatchItemFailures bool

	// Filter decides about each message before it gets into a batch; nil takes all. A
	// message that does not match is deleted.
	Filter Filter

	// CountOnly has the ledger forget messages that are done or filtered once they are
	// counted, for a queue that runs for long.
	CountOnly bool

	// OnBatch is called after each invocation, concurrently when there are several.
	OnBatch func(BatchReport)

	// OnError is called when messages cannot be received or deleted; the poller then
	// tries again after a second. When it is nil, Run returns the error.
	OnError func(error)
}

// A Filter judges a message, which it gets as the event has it. [pattern.Filter] is one.
// A message about which it returns an error does not match.
type Filter interface {
	Match(record []byte) (bool, error)
}

var _ Filter = (*pattern.Filter)(nil)

// A BatchReport is what became of one invocation.
type BatchReport struct {
	Number    int // in the ledger
	RequestID string
	Messages  int
	Failed    int   // will come again, or be dead-lettered
	Err       error // why the whole batch failed
}

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
	clock  *Clock
	ledger *Ledger
}

// NewPoller returns a Poller of a store in real time. Its ledger begins with the first
// receipt of a message. Redrives happen in the store, so that a message of a dead-letter
// queue stays waiting in the ledger. NewPoller panics if the mapping cannot be.
func NewPoller(fn guardtest.Invoker, store Store, queue StoreConfig, cfg Mapping) *Poller {
	if fn == nil || store == nil {
		panic("source: NewPoller needs a function and a store")
	}
	ledger := newLedger(cfg.CountOnly)
	return newPoller(fn, &recorded{store, ledger, time.Now}, queue, cfg, realClock(), ledger)
}

func newPoller(fn guardtest.Invoker, store Store, queue StoreConfig, cfg Mapping, clock *Clock, ledger *Ledger) *Poller {
	return &Poller{fn: fn, store: store, cfg: cfg.withDefaults(isFIFO(queue.ARN)), queue: queue, clock: clock, ledger: ledger}
}

func isFIFO(name string) bool { return strings.HasSuffix(name, ".fifo") }

// Bounds of a mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
const (
	defaultConcurrency = 5 // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
	maxConcurrency     = 1000
	maxReceive         = 10
	maxBatch           = 10_000
	maxWindow          = 5 * time.Minute
)

func (m Mapping) withDefaults(fifo bool) Mapping {
	if m.BatchSize == 0 {
		m.BatchSize = maxReceive
	}
	if m.MaximumConcurrency == 0 {
		m.MaximumConcurrency = defaultConcurrency
	}
	switch {
	case m.BatchSize < 0 || m.BatchSize > maxBatch:
		panic("source: BatchSize is not between 1 and 10000")
	case m.BatchWindow < 0 || m.BatchWindow > maxWindow:
		panic("source: BatchWindow is not between 0 and 5 minutes")
	case m.MaximumConcurrency < 0 || m.MaximumConcurrency > maxConcurrency:
		panic("source: MaximumConcurrency is not between 1 and 1000")
	case fifo && m.BatchSize > maxReceive:
		panic("source: BatchSize of a FIFO queue is over 10")
	case fifo && m.BatchWindow > 0:
		panic("source: FIFO queues have no BatchWindow")
	case m.BatchSize > maxReceive && m.BatchWindow < time.Second:
		panic("source: a BatchSize over 10 needs a BatchWindow of at least a second")
	}
	return m
}

// Ledger returns the record of what the poller did.
func (p *Poller) Ledger() *Ledger { return p.ledger }

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
		p.clock.enter()
	}
	for range p.cfg.MaximumConcurrency {
		running.Go(func() {
			defer p.clock.leave()
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
	p.clock.sleep(ctx, time.Second)
	return nil
}

// A stopError ends the poller: the function cannot be called any more.
type stopError struct{ err error }

func (e *stopError) Error() string { return "source: the function was not called: " + e.err.Error() }
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
			text := newRecord(m, p.queue.ARN).encode()
			if matches, err := p.filter(ctx, m, text); err != nil {
				return batch{}, errors.Join(err, p.release(ctx, append(b.messages, got[i:]...)))
			} else if !matches {
				continue
			}
			if b.size+len(text)+1 > maxEvent {
				return b, p.release(ctx, got[i:])
			}
			if len(b.messages) == 0 {
				b.received, end = now, now.Add(p.cfg.BatchWindow)
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
	p.ledger.filtered(m.ID, p.clock.Now())
	_, err := p.store.Delete(context.WithoutCancel(ctx), []Received{m})
	return false, err
}

// Why a message of a batch comes again, in the ledger. A failed invocation has its
// error type there.
const (
	Reported   = "reported"    // the function's answer names the message
	BadAnswer  = "bad answer"  // the function's partial answer fails the whole batch
	Throttled  = "throttled"   // the function was not called before the visibility timeout ended
	NotCalled  = "not called"  // the poller was stopped, or the function closed, before the call
	NotDeleted = "not deleted" // the function succeeded; another had received the message by then, or the store failed
)

// deliver calls the function once, or again while it is throttled, and deletes what
// succeeded. What failed stays hidden until its visibility timeout ends.
func (p *Poller) deliver(ctx context.Context, b batch) error {
	call := guardtest.Call{Payload: event(b.records), RequestID: ids.UUID()}
	number := p.ledger.batch(call.RequestID, p.clock.Now(), deliveries(b.messages))
	// The end of ctx stops the poller, not the function: that has its own timeout.
	result, err := p.fn.Do(context.WithoutCancel(ctx), call)
	for pause := time.Second; errors.Is(err, ErrThrottled); pause = min(2*pause, time.Minute) {
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy
		if !p.clock.Now().Add(pause).Before(b.received.Add(p.queue.VisibilityTimeout)) {
			return p.failBatch(b, call, number, Throttled, err)
		}
		p.clock.sleep(ctx, pause)
		if ctx.Err() != nil {
			return errors.Join(p.failBatch(b, call, number, NotCalled, err), p.release(ctx, b.messages))
		}
		result, err = p.fn.Do(context.WithoutCancel(ctx), call)
	}
	var failure *guardtest.FunctionError
	switch {
	case errors.As(err, &failure):
		return p.failBatch(b, call, number, failure.Type, err)
	case err != nil:
		return errors.Join(&stopError{err}, p.failBatch(b, call, number, NotCalled, err), p.release(ctx, b.messages))
	}
	var failed map[string]bool
	if p.cfg.ReportBatchItemFailures {
		inBatch := map[string]bool{}
		for _, m := range b.messages {
			inBatch[m.ID] = true
		}
		if failed, err = failures(result.Payload, textID, func(id string) bool { return inBatch[id] }); err != nil {
			return p.failBatch(b, call, number, BadAnswer, fmt.Errorf("source: %w", err))
		}
	}
	return p.settle(ctx, b, call, number, failed)
}

func deliveries(messages []Received) []delivered {
	list := make([]delivered, len(messages))
	for i, m := range messages {
		list[i] = delivered{m.ID, m.receiveCount()}
	}
	return list
}

func (p *Poller) failBatch(b batch, call guardtest.Call, number int, why string, err error) error {
	for _, m := range b.messages {
		p.ledger.failed(m.ID, number, why)
	}
	p.report(BatchReport{Number: number, RequestID: call.RequestID, Messages: len(b.messages), Failed: len(b.messages), Err: err})
	return nil
}

// settle deletes the messages that did not fail.
func (p *Poller) settle(ctx context.Context, b batch, call guardtest.Call, number int, failed map[string]bool) error {
	var done []Received
	for _, m := range b.messages {
		if failed[m.ID] {
			p.ledger.failed(m.ID, number, Reported)
		} else {
			done = append(done, m)
		}
	}
	var err error
	if len(done) > 0 {
		var kept []Received
		kept, err = p.store.Delete(context.WithoutCancel(ctx), done)
		for _, m := range kept {
			p.ledger.failed(m.ID, number, NotDeleted)
		}
	}
	p.report(BatchReport{Number: number, RequestID: call.RequestID, Messages: len(b.messages), Failed: len(failed)})
	return err
}

func (p *Poller) report(r BatchReport) {
	if p.cfg.OnBatch != nil {
		p.cfg.OnBatch(r)
	}
}
