package async

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
)

// Config describes how a function is invoked asynchronously: its
// EventInvokeConfig and its DeadLetterConfig. The zero value is a function with the
// defaults of Lambda, which discards what fails.
type Config struct {
	// ARN of the function; that of [guardtest.Config] when empty.
	ARN string

	// MaximumRetryAttempts is how often an event is tried again after a function error,
	// from 0 to 2; 2 when nil.
	MaximumRetryAttempts *int

	// MaximumEventAge is how long an event is tried, from a minute to 6 hours; 6 hours
	// when 0.
	MaximumEventAge time.Duration

	// DeadLetters takes the events that failed for good, OnFailure the records of their
	// invocations, and OnSuccess those of others. The zero Target is none. DeadLetters
	// is a standard queue or topic, and OnSuccess is no bucket.
	DeadLetters, OnFailure, OnSuccess source.Target

	// Concurrency is how many events are with the function at once; 1 when 0.
	Concurrency int

	// Clock is the time; when nil, one that begins now. Advance and Drain move it.
	Clock *source.Clock
}

// A Queue is the queue of a function's asynchronous invocations, as S3, SNS,
// EventBridge and a client with InvocationType Event make them. Its methods may be
// called concurrently.
//
// Nothing happens until Advance or Drain is called. The clock stands still while
// functions run, unless they move it.
//
// # The rules
//
//   - After a function error, a timeout or the end of its process, an event is tried
//     again after one minute, and once more after two.
//   - After [source.ErrThrottled] and [ErrServiceFailure] it is tried again after 1 second, and
//     then after twice as long each time, up to 5 minutes. Such tries do not count for
//     MaximumRetryAttempts. Lambda varies these times; here they are exact.
//   - An event whose next try would come after its age has exceeded MaximumEventAge is
//     given up at once.
//   - An event for a function with a [source.ReservedConcurrency] of 0 is given up at once,
//     without a try.
//   - All tries have the event's request id.
//   - An event that is given up goes to DeadLetters and to OnFailure. If both are there,
//     both get it. If none is there, or none takes it, it is lost.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type Queue struct {
	fn     guardtest.Invoker
	cfg    Config
	clock  *source.Clock
	ledger *book.Book

	oneByOne      bool // fn takes a request id once at a time
	noConcurrency bool // its reserved concurrency is 0

	running sync.Mutex // held by Advance and Drain

	mu       sync.Mutex
	events   map[string]*event
	queue    pending // those that wait
	number   int     // of the last copy
	failures []error // of deliveries
}

// ErrServiceFailure is the error of an invoker when Lambda itself fails, status 500 and
// above: the function was not called, and the event is tried again later.
var ErrServiceFailure = errors.New("async: Lambda had a failure of its own")

// Limits and times of asynchronous invocations.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload     = 1 << 20 // 256 KB until October 2025
	minEventAge    = time.Minute
	maxEventAge    = 6 * time.Hour
	firstBackoff   = time.Second
	longestBackoff = 5 * time.Minute
)

// retryAfter are the waits after the first and the second function error.
var retryAfter = [...]time.Duration{time.Minute, 2 * time.Minute}

// An event is an invocation, and what has become of its copies.
type event struct {
	call    guardtest.Call
	sent    time.Time
	open    int // copies that wait or run
	outcome source.Outcome
	reason  string
}

// A queued event is a copy in the queue. There is one, and one more for each duplicate.
type queued struct {
	*event
	number   int
	due      time.Time
	tries    int
	invokes  int    // tries that reached the function
	backoffs int    // since the last one that did
	why      string // the last one failed
	last     *invocation
}

// An invocation is the answer of the function.
type invocation struct {
	payload []byte
	failure *guardtest.FunctionError
}

// New returns a Queue that calls fn. It panics if Lambda does not allow the
// settings.
func New(fn guardtest.Invoker, cfg Config) *Queue {
	cfg.ARN = cmp.Or(cfg.ARN, "arn:aws:lambda:us-east-1:"+guardtest.AccountID+":function:function")
	cfg.MaximumEventAge = cmp.Or(cfg.MaximumEventAge, maxEventAge)
	cfg.Concurrency = cmp.Or(cfg.Concurrency, 1)
	cfg.MaximumRetryAttempts = cmp.Or(cfg.MaximumRetryAttempts, new(len(retryAfter)))
	arn := strings.Split(cfg.ARN, ":")
	switch {
	case fn == nil:
		panic("async: New needs a function")
	case *cfg.MaximumRetryAttempts < 0 || *cfg.MaximumRetryAttempts > len(retryAfter):
		panic("async: MaximumRetryAttempts is not between 0 and 2")
	case cfg.MaximumEventAge < minEventAge || cfg.MaximumEventAge > maxEventAge:
		panic("async: MaximumEventAge is not between a minute and 6 hours")
	case cfg.Concurrency < 0:
		panic("async: Concurrency is negative")
	case cfg.DeadLetters.Service() != "" && cfg.DeadLetters.Service() != "sqs" && cfg.DeadLetters.Service() != "sns":
		panic("async: DeadLetters is a queue or a topic")
	case cfg.OnSuccess.Service() == "s3":
		panic("async: a bucket is a destination for failures alone")
	case len(arn) != 7 || arn[0] != "arn" || arn[1] == "" || arn[2] != "lambda":
		panic("async: ARN is not that of a function without a version")
	}
	a := &Queue{fn: fn, cfg: cfg, clock: cmp.Or(cfg.Clock, source.NewClock(time.Now())), ledger: book.New(false), events: map[string]*event{}}
	// Of source.ReservedConcurrency.
	for r, ok := fn.(reserved); ok; r, ok = fn.(reserved) {
		var n int
		n, fn = r.Reserved()
		a.noConcurrency = a.noConcurrency || n == 0
	}
	switch fn.(type) {
	case *guardtest.Function, *guardtest.Runtime:
		a.oneByOne = true
	}
	return a
}

type reserved interface {
	Reserved() (n int, fn guardtest.Invoker)
}

// ARN returns the ARN of the function.
func (a *Queue) ARN() string { return a.cfg.ARN }

// Ledger returns the record of what became of each event. The id of an entry is the
// event's request id.
func (a *Queue) Ledger() source.Ledger { return a.ledger.Ledger() }

// Invoke puts an event into the queue, as Lambda does when it answers 202, and returns
// its request id. Package sample has the events of S3, SNS and EventBridge. An empty
// payload is {}. The error is a [*source.Refusal]: a payload is JSON, and at most 1 MiB.
func (a *Queue) Invoke(payload []byte) (requestID string, err error) {
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	switch {
	case len(payload) > maxPayload:
		return "", &source.Refusal{Code: "RequestEntityTooLargeException", Text: fmt.Sprintf("the payload of %d bytes is over %d", len(payload), maxPayload)}
	case !json.Valid(payload):
		return "", &source.Refusal{Code: "InvalidRequestContentException", Text: "the payload is not JSON"}
	}
	ev := &event{call: guardtest.Call{Payload: slices.Clone(payload), RequestID: ids.UUID()}, sent: a.clock.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events[ev.call.RequestID] = ev
	a.ledger.Sent(ev.call.RequestID, "", ev.sent)
	a.add(ev)
	return ev.call.RequestID, nil
}

// Duplicate puts an event into the queue once more, with the same request id. Lambda may
// deliver an event several times though no error occurred, also at the same time. The
// event then is done when all its copies are. A [guardtest.Function] and a
// [guardtest.Runtime] get the copies one after the other, because they know invocations
// by their request ids. It returns an error if there is no such event, or if it was given
// up.
func (a *Queue) Duplicate(requestID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ev := a.events[requestID]
	switch {
	case ev == nil:
		return fmt.Errorf("async: there is no event with the request id %q", requestID)
	case ev.open == 0 && ev.outcome != source.Done:
		return errors.New("async: the event was given up")
	case ev.open == 0:
		a.ledger.Reopen(requestID)
	}
	a.add(ev)
	return nil
}

func (a *Queue) add(ev *event) {
	ev.open++
	a.number++
	heap.Push(&a.queue, &queued{event: ev, number: a.number, due: a.clock.Now()})
}

// Advance moves the clock on by d, and invokes the function with what is due by then, in
// the order of the times. It returns an error if ctx ends before, or if the function
// cannot be called: the events wait then.
func (a *Queue) Advance(ctx context.Context, d time.Duration) error {
	if d < 0 {
		panic("async: the time cannot go back")
	}
	a.running.Lock()
	defer a.running.Unlock()
	end := a.clock.Now().Add(d)
	if err := a.run(ctx, func(due time.Time) bool { return !due.After(end) }); err != nil {
		return err
	}
	a.moveTo(end)
	return nil
}

// Drain invokes the function, and moves the clock as far as that takes, until no event
// waits. It returns an error as Advance does.
func (a *Queue) Drain(ctx context.Context) error {
	a.running.Lock()
	defer a.running.Unlock()
	return a.run(ctx, func(time.Time) bool { return true })
}

func (a *Queue) moveTo(t time.Time) {
	if d := t.Sub(a.clock.Now()); d > 0 {
		a.clock.Advance(d)
	}
}

func (a *Queue) run(ctx context.Context, wanted func(due time.Time) bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("async: %w", err)
		}
		copies := a.take(wanted)
		if len(copies) == 0 {
			return nil
		}
		var all sync.WaitGroup
		problems := make([]error, len(copies))
		for i, c := range copies {
			all.Go(func() { problems[i] = a.try(ctx, c) })
		}
		all.Wait()
		if err := errors.Join(problems...); err != nil {
			return err
		}
	}
}

// take takes those out of the queue that are due next, at most Concurrency of them, and
// moves the clock to their time.
func (a *Queue) take(wanted func(due time.Time) bool) []*queued {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 || !wanted(a.queue[0].due) {
		return nil
	}
	a.moveTo(a.queue[0].due)
	now := a.clock.Now()
	var taken, kept []*queued
	for len(a.queue) > 0 && len(taken) < a.cfg.Concurrency && !a.queue[0].due.After(now) {
		c := heap.Pop(&a.queue).(*queued)
		if a.oneByOne && slices.ContainsFunc(taken, func(t *queued) bool { return t.event == c.event }) {
			kept = append(kept, c)
			continue
		}
		taken = append(taken, c)
	}
	for _, c := range kept {
		heap.Push(&a.queue, c)
	}
	return taken
}

// try invokes the function once. It returns an error if that is not possible; the event
// then waits.
func (a *Queue) try(ctx context.Context, c *queued) error {
	switch now := a.clock.Now(); {
	case a.noConcurrency:
		a.giveUp(c, zeroConcurrency)
		return nil
	case now.Sub(c.sent) > a.cfg.MaximumEventAge: // others have moved the clock
		a.giveUp(c, ageExceeded)
		return nil
	}
	c.tries++
	id := c.call.RequestID
	batch := a.ledger.Batch(id, a.clock.Now(), []book.Delivered{{ID: id, Attempt: c.tries}})
	result, err := a.fn.Do(context.WithoutCancel(ctx), c.call)

	var failure *guardtest.FunctionError
	switch {
	case errors.Is(err, source.ErrThrottled):
		a.backOff(c, batch, source.Throttled)
	case errors.Is(err, ErrServiceFailure):
		a.backOff(c, batch, source.ServiceFailure)
	case errors.As(err, &failure):
		c.why = failure.Type
		a.ledger.Failed(id, batch, c.why)
		c.last = &invocation{failure: failure, payload: failure.Payload}
		a.retry(c)
	case err != nil:
		a.ledger.Failed(id, batch, source.NotCalled)
		a.wait(c, a.clock.Now())
		return fmt.Errorf("async: the function was not called: %w", err)
	default:
		c.invokes++
		c.last = &invocation{payload: result.Payload}
		a.succeed(c)
	}
	return nil
}

// retry follows a function error.
func (a *Queue) retry(c *queued) {
	c.invokes++
	c.backoffs = 0
	if c.invokes > *a.cfg.MaximumRetryAttempts {
		a.giveUp(c, retriesExhausted)
		return
	}
	a.later(c, retryAfter[c.invokes-1])
}

// backOff follows a try that did not reach the function.
func (a *Queue) backOff(c *queued, batch int, why string) {
	c.why = why
	a.ledger.Failed(c.call.RequestID, batch, why)
	pause := longestBackoff
	if c.backoffs < 9 {
		pause = min(firstBackoff<<c.backoffs, longestBackoff)
	}
	c.backoffs++
	a.later(c, pause)
}

// later has the event wait, unless it would be too old then. That Lambda looks ahead is
// on no page; LocalStack's tests have recorded it.
func (a *Queue) later(c *queued, pause time.Duration) {
	due := a.clock.Now().Add(pause)
	if due.Sub(c.sent) > a.cfg.MaximumEventAge {
		a.giveUp(c, ageExceeded)
		return
	}
	a.wait(c, due)
}

func (a *Queue) wait(c *queued, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.due = due
	heap.Push(&a.queue, c)
}

func (a *Queue) succeed(c *queued) {
	if a.cfg.OnSuccess.Service() != "" {
		a.deliver(a.cfg.OnSuccess, a.record(c, success))
	}
	a.settle(c, source.Done, "")
}

// giveUp sends the event where it is kept. A condition is what the record says of it.
func (a *Queue) giveUp(c *queued, condition string) {
	reason := condition
	if c.why != "" {
		reason += ", at last " + c.why
	}
	var kept, tried bool
	if a.cfg.DeadLetters.Service() != "" {
		tried = true
		kept = a.deliver(a.cfg.DeadLetters, a.deadLetter(c))
	}
	if a.cfg.OnFailure.Service() != "" {
		tried = true
		kept = a.deliver(a.cfg.OnFailure, a.record(c, condition)) || kept
	}
	switch {
	case kept:
		a.settle(c, source.DeadLettered, reason)
	case tried:
		a.settle(c, source.Dropped, reason+", and what was to keep it did not")
	default:
		a.settle(c, source.Dropped, reason+", and nothing was to keep it")
	}
}

// settle closes a copy, and the event with the last of them. Its outcome is the worst.
func (a *Queue) settle(c *queued, outcome source.Outcome, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	worse := func(o source.Outcome) int {
		return slices.Index([]source.Outcome{"", source.Done, source.DeadLettered, source.Dropped}, o)
	}
	if worse(outcome) >= worse(c.outcome) {
		c.outcome, c.reason = outcome, reason
	}
	if c.open--; c.open == 0 {
		a.ledger.Settle(c.call.RequestID, c.outcome, c.reason, a.clock.Now())
	}
}

// deliver sends a letter to a target, and reports whether it is there.
func (a *Queue) deliver(to source.Target, l source.Letter) bool {
	err := to.Send(l)
	if err == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, fmt.Errorf("async: to %s: %w", to.ARN(), err))
	return false
}

// DeliveryFailures returns why dead letters and records did not reach their targets: what
// Lambda counts as DeadLetterErrors and DestinationDeliveryFailures.
func (a *Queue) DeliveryFailures() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.failures)
}

// pending is a heap of copies: the one that is due first, and of several the oldest, is
// on top.
type pending []*queued

func (q pending) Len() int      { return len(q) }
func (q pending) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q pending) Less(i, j int) bool {
	if order := q[i].due.Compare(q[j].due); order != 0 {
		return order < 0
	}
	return q[i].number < q[j].number
}

func (q *pending) Push(c any) { *q = append(*q, c.(*queued)) }

func (q *pending) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return c
}

// Target returns the function as a destination of another: the record is its event.
func (a *Queue) Target() source.Target {
	return source.To(a.ARN(), func(l source.Letter) error {
		_, err := a.Invoke([]byte(l.Body))
		return err
	})
}
