package queue

import (
	"cmp"
	"container/heap"
	"container/list"
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
)

// Config describes a queue and its event source mapping. The zero value is a
// standard queue with the defaults of SQS and Lambda.
type Config struct {
	// Name of the queue; "queue" when empty. A name that ends in .fifo makes it FIFO.
	Name string

	// Region of the queue's ARN; "us-east-1" when empty.
	Region string

	// VisibilityTimeout is how long a received message is hidden; 30 seconds when 0, at
	// most 12 hours.
	VisibilityTimeout time.Duration

	// Delay is until a sent message can be received, at most 15 minutes.
	Delay time.Duration

	// Retention is after which time a message is lost; 4 days when 0, between a minute
	// and 14 days.
	Retention time.Duration

	// ContentBasedDeduplication makes the deduplication id of a message without one
	// from its body. It is for FIFO queues alone.
	ContentBasedDeduplication bool

	// Redrive says where messages go that were received too often. Without it a message
	// comes again until it expires.
	Redrive Redrive

	// Mapping says how the function is called.
	Mapping Mapping

	// Clock is the time of the queue; nil is the real time. A dead-letter queue has the
	// clock of its source.
	Clock *source.Clock

	// OnDeadLetter is called for each message that moved to the dead-letter queue.
	OnDeadLetter func(source.Entry)
}

// A Queue is an SQS queue in memory with an event source mapping to a function. Its
// methods may be called concurrently.
type Queue struct {
	cfg    Config
	fifo   bool
	clock  *timeline.Timeline
	ledger *book.Book
	poller *Poller // nil without a function

	mu       sync.Mutex
	messages map[string]*message
	byAge    *list.List // of *message, the oldest first
	hidden   hidden     // delayed or in flight
	ready    *list.List // of *message; of a FIFO queue of *group
	groups   map[string]*group
	recent   map[string]dupe // by deduplication id
	expiries *list.List      // of dedup, the oldest first
	sequence uint64
	receipts uint64
	turns    uint64
	waiting  map[*timeline.Waiter]struct{} // pollers
	alarm    timeline.Alarm                // next
	letters  []source.Entry                // not yet reported to OnDeadLetter
}

// Limits of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
const (
	minRetention  = time.Minute
	maxRetention  = 14 * 24 * time.Hour
	maxReceives   = 1000
	dedupInterval = 5 * time.Minute
	senderID      = "AIDAIENQZJOLO23YVJ4VO"
)

// New returns a Queue that calls fn. A dead-letter queue may have no function.
// New panics if a queue or a mapping cannot be so.
func New(fn guardtest.Invoker, cfg Config) *Queue {
	cfg.Name = cmp.Or(cfg.Name, "queue")
	cfg.Region = cmp.Or(cfg.Region, "us-east-1")
	cfg.VisibilityTimeout = cmp.Or(cfg.VisibilityTimeout, 30*time.Second)
	cfg.Retention = cmp.Or(cfg.Retention, 4*24*time.Hour)
	fifo := isFIFO(cfg.Name)
	to := cfg.Redrive.To
	switch {
	case strings.Trim(strings.ToLower(strings.TrimSuffix(cfg.Name, ".fifo")), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(cfg.Name) > 80:
		panic("queue: a queue's name has at most 80 letters, digits, - and _, and .fifo at its end")
	case cfg.VisibilityTimeout < 0 || cfg.VisibilityTimeout > maxVisibility:
		panic("queue: VisibilityTimeout is not between 0 and 12 hours")
	case cfg.Delay < 0 || cfg.Delay > maxDelay:
		panic("queue: Delay is not between 0 and 15 minutes")
	case cfg.Retention < minRetention || cfg.Retention > maxRetention:
		panic("queue: Retention is not between a minute and 14 days")
	case cfg.ContentBasedDeduplication && !fifo:
		panic("queue: ContentBasedDeduplication is for FIFO queues, whose name ends in .fifo")
	case (to == nil) != (cfg.Redrive.MaxReceives == 0) || cfg.Redrive.MaxReceives < 0 || cfg.Redrive.MaxReceives > maxReceives:
		panic("queue: Redrive needs To and MaxReceives from 1 to 1000")
	case to != nil && to.fifo != fifo:
		panic("queue: the dead-letter queue of a FIFO queue is FIFO, and of a standard queue standard")
	case to != nil && cfg.Clock != to.cfg.Clock:
		panic("queue: a queue and its dead-letter queue need the same Clock")
	}
	q := &Queue{
		cfg: cfg, fifo: fifo, clock: timeline.Real(), ledger: book.New(cfg.Mapping.CountOnly),
		messages: map[string]*message{}, byAge: list.New(), ready: list.New(), groups: map[string]*group{},
		recent: map[string]dupe{}, expiries: list.New(), waiting: map[*timeline.Waiter]struct{}{},
	}
	if cfg.Clock != nil {
		q.clock = (*timeline.Timeline)(cfg.Clock)
	}
	mapping := cfg.Mapping.withDefaults(fifo) // also without a function: it may not be wrong
	if fn != nil {
		q.poller = newPoller(fn, memory{q}, StoreConfig{q.ARN(), cfg.VisibilityTimeout}, mapping, q.clock, q.ledger)
	}
	return q
}

// ARN returns the queue's ARN, in the account [guardtest.AccountID].
func (q *Queue) ARN() string {
	return "arn:aws:sqs:" + q.cfg.Region + ":" + guardtest.AccountID + ":" + q.cfg.Name
}

// Ledger returns the record of what became of each message.
func (q *Queue) Ledger() source.Ledger { return q.ledger.Ledger() }

// Send puts a message into the queue and returns its id. A message of a FIFO queue
// with the deduplication id of one sent in the last five minutes is not put there: Send
// returns the id of that one. The error is a [*source.Refusal].
func (q *Queue) Send(m Message) (id string, err error) {
	sent, refusal := q.send(m)
	if refusal != nil {
		return "", refusal
	}
	return sent.id, nil
}

func (q *Queue) send(m Message) (*message, *source.Refusal) {
	if r := m.check(q.fifo, q.cfg.ContentBasedDeduplication); r != nil {
		return nil, r
	}
	if q.fifo && m.Deduplication == "" {
		m.Deduplication = sha256Hex(m.Body)
	}
	m.Attributes = maps.Clone(m.Attributes)
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.pass(now)
	added := &message{Message: m, id: ids.UUID(), sent: now, md5: md5Hex(m.Body), md5OfAttributes: md5OfAttributes(m.Attributes), index: -1}
	if q.fifo {
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
		if known, there := q.recent[m.Deduplication]; there {
			added.id, added.sequence = known.id, known.sequence
			return added, nil
		}
	}
	added.Delay = cmp.Or(added.Delay, q.cfg.Delay)
	q.add(added, now)
	if q.fifo {
		q.recent[m.Deduplication] = dupe{added.id, added.sequence}
		q.expiries.PushBack(dedup{m.Deduplication, now.Add(dedupInterval)})
	}
	return added, nil
}

// Messages returns what is in the queue, also what is hidden, the oldest first. It
// receives nothing.
func (q *Queue) Messages() []Received {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass(q.clock.Now())
	var all []Received
	for e := q.byAge.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*message).received())
	}
	return all
}

// ChangeVisibility hides a message that is in flight for another time from now on, or
// shows it at once when that is 0. A message is hidden for 12 hours at most since it was
// received. The error is a [*source.Refusal].
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *Queue) ChangeVisibility(receiptHandle string, timeout time.Duration) error {
	if timeout < 0 || timeout > maxVisibility {
		return refuse("InvalidParameterValue", "the visibility timeout %s is not between 0 and 12 hours", timeout)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.pass(now)
	m := q.held(receiptHandle)
	if m == nil || m.index < 0 {
		return refuse("MessageNotInflight", "the message is not in flight")
	}
	if now.Add(timeout).After(m.taken.Add(maxVisibility)) {
		return refuse("InvalidParameterValue", "the message would be hidden for more than 12 hours since it was received")
	}
	m.visible = now.Add(timeout)
	heap.Fix(&q.hidden, m.index)
	q.pass(now)
	q.wake()
	return nil
}

// Delete removes a message, as a function may itself. A message that was received again
// since stays. The error is a [*source.Refusal].
func (q *Queue) Delete(receiptHandle string) error {
	if !q.delete(receiptHandle) && q.fifo {
		return refuse("InvalidParameterValue", "the receipt handle has expired")
	}
	return nil
}

func (q *Queue) delete(receiptHandle string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.pass(now)
	m := q.held(receiptHandle)
	if m == nil {
		return false
	}
	q.remove(m)
	q.clock.Set(&q.alarm, q.next()) // pollers that wait need not wait for m any more
	q.ledger.Removed(m.id, now)
	if q.fifo {
		q.wake() // its group may be free
	}
	return true
}

// held returns the message of the newest receipt. It has to be in flight still: SQS
// deletes a message of a standard queue by an old receipt as long as nobody else
// received it.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *Queue) held(receipt string) *message {
	id, _, _ := strings.Cut(receipt, "/")
	m := q.messages[id]
	if m == nil || m.receipt != receipt || (q.fifo && !m.delivering) {
		return nil
	}
	return m
}

// Run calls the function until ctx ends; see [Poller.Run].
func (q *Queue) Run(ctx context.Context) error {
	if q.poller == nil {
		return errors.New("queue: the queue " + q.cfg.Name + " has no function")
	}
	return q.poller.Run(ctx)
}

// Drain calls the function until no message of the ledger waits. It returns an error
// when ctx ends before, or when Run does.
func (q *Queue) Drain(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ran := make(chan error, 1)
	go func() {
		err := q.Run(ctx)
		if err != nil {
			cancel(err)
		}
		ran <- err
	}()
	err := q.ledger.Wait(ctx, func(c source.Counts) bool { return c.Waiting == 0 })
	cancel(nil)
	return errors.Join(<-ran, err)
}

// Target returns the queue as the destination or the dead-letter queue of another source. Its
// own function, if it has one, gets the messages when the queue runs.
func (q *Queue) Target() source.Target {
	return source.To(q.ARN(), func(l source.Letter) error {
		_, err := q.Send(Message{Body: l.Body, Attributes: l.Attributes})
		return err
	})
}
