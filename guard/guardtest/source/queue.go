package source

import (
	"container/heap"
	"container/list"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
)

// QueueConfig describes a queue and its event source mapping. The zero value is a
// standard queue with the defaults of SQS and Lambda.
type QueueConfig struct {
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
	Clock *Clock

	// OnDeadLetter is called for each message that moved to the dead-letter queue.
	OnDeadLetter func(Entry)
}

// Redrive is the redrive policy of a queue: a message that was received MaxReceives
// times moves to the queue To when it would be received again.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
type Redrive struct {
	To          *Queue
	MaxReceives int // from 1 to 1000
}

// A Queue is an SQS queue in memory with an event source mapping to a function. Its
// methods may be called concurrently.
type Queue struct {
	cfg    QueueConfig
	fifo   bool
	clock  *Clock
	ledger *Ledger
	poller *Poller // nil without a function

	mu       sync.Mutex
	messages map[string]*message
	byAge    *list.List // of *message, the oldest first
	hidden   hidden     // delayed or in flight
	ready    *list.List // of *message; of a FIFO queue of *group
	groups   map[string]*group
	recent   map[string]string // deduplication id → message id
	expiries *list.List        // of dedup, the oldest first
	sequence uint64
	receipts uint64
	turns    uint64
	waiting  map[*waiter]struct{} // pollers
	alarm    alarm                // next
	letters  []Entry              // not yet reported to OnDeadLetter
}

type message struct {
	Message
	id       string
	sequence string // FIFO
	source   string // ARN of the queue whose dead letter it is

	md5, md5OfAttributes string

	sent, firstReceived time.Time
	receives            int
	carried             int // of receives, those in the queue whose dead letter it is
	receipt             string
	visible             time.Time // while it is hidden
	turn                uint64    // of those that are visible at the same time
	delivering          bool      // it is hidden since it was received

	age, ready *list.Element
	index      int // in hidden, or -1
	group      *group
}

// A group has the messages of a FIFO group in their order.
type group struct {
	messages []*message
	inFlight int
	ready    *list.Element
}

type dedup struct {
	id    string
	until time.Time
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

// NewQueue returns a Queue that calls fn. A dead-letter queue may have no function.
// NewQueue panics if a queue or a mapping cannot be so.
func NewQueue(fn guardtest.Invoker, cfg QueueConfig) *Queue {
	setDefault(&cfg.Name, "queue")
	setDefault(&cfg.Region, "us-east-1")
	setDefault(&cfg.VisibilityTimeout, 30*time.Second)
	setDefault(&cfg.Retention, 4*24*time.Hour)
	fifo := isFIFO(cfg.Name)
	to := cfg.Redrive.To
	switch {
	case strings.Trim(strings.ToLower(strings.TrimSuffix(cfg.Name, ".fifo")), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(cfg.Name) > 80:
		panic("source: a queue's name has at most 80 letters, digits, - and _, and .fifo at its end")
	case cfg.VisibilityTimeout < 0 || cfg.VisibilityTimeout > maxVisibility:
		panic("source: VisibilityTimeout is not between 0 and 12 hours")
	case cfg.Delay < 0 || cfg.Delay > maxDelay:
		panic("source: Delay is not between 0 and 15 minutes")
	case cfg.Retention < minRetention || cfg.Retention > maxRetention:
		panic("source: Retention is not between a minute and 14 days")
	case cfg.ContentBasedDeduplication && !fifo:
		panic("source: ContentBasedDeduplication is for FIFO queues, whose name ends in .fifo")
	case (to == nil) != (cfg.Redrive.MaxReceives == 0) || cfg.Redrive.MaxReceives < 0 || cfg.Redrive.MaxReceives > maxReceives:
		panic("source: Redrive needs To and MaxReceives from 1 to 1000")
	case to != nil && to.fifo != fifo:
		panic("source: the dead-letter queue of a FIFO queue is FIFO, and of a standard queue standard")
	case to != nil && cfg.Clock != to.cfg.Clock:
		panic("source: a queue and its dead-letter queue need the same Clock")
	}
	q := &Queue{
		cfg: cfg, fifo: fifo, clock: cfg.Clock, ledger: newLedger(cfg.Mapping.CountOnly),
		messages: map[string]*message{}, byAge: list.New(), ready: list.New(), groups: map[string]*group{},
		recent: map[string]string{}, expiries: list.New(), waiting: map[*waiter]struct{}{},
	}
	if q.clock == nil {
		q.clock = realClock()
	}
	mapping := cfg.Mapping.withDefaults(fifo) // also without a function: it may not be wrong
	if fn != nil {
		q.poller = newPoller(fn, memory{q}, StoreConfig{q.ARN(), cfg.VisibilityTimeout}, mapping, q.clock, q.ledger)
	}
	return q
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ARN returns the queue's ARN, in the account [guardtest.AccountID].
func (q *Queue) ARN() string {
	return "arn:aws:sqs:" + q.cfg.Region + ":" + guardtest.AccountID + ":" + q.cfg.Name
}

// Ledger returns the record of what became of each message.
func (q *Queue) Ledger() *Ledger { return q.ledger }

// Send puts a message into the queue and returns its id. A message of a FIFO queue
// with the deduplication id of one sent in the last five minutes is not put there: Send
// returns the id of that one. The error is a [*Refusal].
func (q *Queue) Send(m Message) (id string, err error) {
	sent, refusal := q.send(m)
	if refusal != nil {
		return "", refusal
	}
	return sent.id, nil
}

func (q *Queue) send(m Message) (*message, *Refusal) {
	if r := m.check(q.fifo, q.cfg.ContentBasedDeduplication); r != nil {
		return nil, r
	}
	if q.fifo && m.Deduplication == "" {
		m.Deduplication = sha256Hex(m.Body)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	q.pass(now)
	added := &message{Message: m, id: ids.UUID(), sent: now, md5: md5Hex(m.Body), md5OfAttributes: md5OfAttributes(m.Attributes), index: -1}
	if q.fifo {
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html
		if known, there := q.recent[m.Deduplication]; there {
			added.id = known
			return added, nil
		}
		q.recent[m.Deduplication] = added.id
		q.expiries.PushBack(dedup{m.Deduplication, now.Add(dedupInterval)})
	}
	setDefault(&added.Delay, q.cfg.Delay)
	q.add(added, now)
	return added, nil
}

// add puts a message behind the others. The caller holds q.mu.
func (q *Queue) add(m *message, now time.Time) {
	q.messages[m.id] = m
	older := q.byAge.Back()
	for older != nil && older.Value.(*message).sent.After(m.sent) { // a dead letter has its first time
		older = older.Prev()
	}
	if older == nil {
		m.age = q.byAge.PushFront(m)
	} else {
		m.age = q.byAge.InsertAfter(m, older)
	}
	inOrder := ""
	if q.fifo {
		q.sequence++
		m.sequence = fmt.Sprintf("18850%015d", q.sequence)
		inOrder = m.Group
		if m.group = q.groups[m.Group]; m.group == nil {
			m.group = &group{}
			q.groups[m.Group] = m.group
		}
		m.group.messages = append(m.group.messages, m)
	}
	q.ledger.sent(m.id, inOrder, m.sent)
	if m.Delay > 0 {
		q.hide(m, now.Add(m.Delay))
	} else {
		q.show(m)
	}
	q.wake() // also for a delayed one: pollers have to know the time
}

// show makes a message one that can be received. A message of a FIFO queue can be
// received when no other of its group is in flight.
func (q *Queue) show(m *message) {
	switch {
	case !q.fifo:
		m.ready = q.ready.PushBack(m)
	case m.delivering:
		m.group.inFlight--
		fallthrough
	default:
		q.offer(m.group)
	}
	m.delivering = false
}

// offer makes a group one that can be received, if it can.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
func (q *Queue) offer(g *group) {
	can := g.inFlight == 0 && len(g.messages) > 0 && g.messages[0].index < 0
	switch {
	case can && g.ready == nil:
		g.ready = q.ready.PushBack(g)
	case !can && g.ready != nil:
		q.ready.Remove(g.ready)
		g.ready = nil
	}
}

func (q *Queue) hide(m *message, until time.Time) {
	m.visible = until
	q.turns++
	m.turn = q.turns
	heap.Push(&q.hidden, m)
}

// remove takes a message out of the queue for good.
func (q *Queue) remove(m *message) {
	delete(q.messages, m.id)
	q.byAge.Remove(m.age)
	if m.index >= 0 {
		heap.Remove(&q.hidden, m.index)
	}
	if m.ready != nil {
		q.ready.Remove(m.ready)
		m.ready = nil
	}
	if g := m.group; g != nil {
		if m.delivering {
			g.inFlight--
		}
		g.drop(m)
		q.offer(g)
		if len(g.messages) == 0 {
			delete(q.groups, m.Group)
		}
	}
}

// drop removes m, which is near the begin.
func (g *group) drop(m *message) {
	i := 0
	for g.messages[i] != m {
		i++
	}
	copy(g.messages[1:i+1], g.messages[:i])
	g.messages[0] = nil
	g.messages = g.messages[1:]
}

// pass does what the passing of time does. The caller holds q.mu.
func (q *Queue) pass(now time.Time) {
	for len(q.hidden) > 0 && !q.hidden[0].visible.After(now) {
		q.show(heap.Pop(&q.hidden).(*message))
	}
	for e := q.byAge.Front(); e != nil && !e.Value.(*message).sent.Add(q.cfg.Retention).After(now); e = q.byAge.Front() {
		m := e.Value.(*message)
		q.remove(m)
		q.ledger.settle(m.id, Expired, "in the queue for "+q.cfg.Retention.String(), now)
	}
	for e := q.expiries.Front(); e != nil && !e.Value.(dedup).until.After(now); e = q.expiries.Front() {
		delete(q.recent, e.Value.(dedup).id)
		q.expiries.Remove(e)
	}
}

// next is when pass has something to do again; zero for never.
func (q *Queue) next() time.Time {
	var next time.Time
	if e := q.byAge.Front(); e != nil {
		next = e.Value.(*message).sent.Add(q.cfg.Retention)
	}
	if len(q.hidden) > 0 && q.hidden[0].visible.Before(next) {
		next = q.hidden[0].visible
	}
	return next
}

func (q *Queue) wake() {
	for w := range q.waiting {
		q.clock.wake(w)
		delete(q.waiting, w)
	}
}

// take receives up to max messages. The caller holds q.mu.
func (q *Queue) take(most int, visibility time.Duration, now time.Time) []*message {
	var taken []*message
	for len(taken) < most && q.ready.Len() > 0 {
		e := q.ready.Front()
		if m, standard := e.Value.(*message); standard {
			q.ready.Remove(e)
			m.ready = nil
			if !q.redrive(m, now) {
				taken = append(taken, q.receive(m, visibility, now))
			}
			continue
		}
		// As many messages of one group as there are, then those of another.
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
		g := e.Value.(*group)
		q.ready.Remove(e)
		g.ready = nil
		for i := 0; i < len(g.messages) && g.messages[i].index < 0 && len(taken) < most; {
			m := g.messages[i]
			if !q.redrive(m, now) {
				taken = append(taken, q.receive(m, visibility, now))
				g.inFlight++
				i++
			}
		}
		q.offer(g)
	}
	return taken
}

func (q *Queue) receive(m *message, visibility time.Duration, now time.Time) *message {
	m.receives++
	q.receipts++
	m.receipt = m.id + "/" + strconv.FormatUint(q.receipts, 36)
	if m.firstReceived.IsZero() {
		m.firstReceived = now
	}
	m.delivering = true
	q.hide(m, now.Add(visibility))
	return m
}

// redrive moves a message that was received too often, which is found out when it would
// be received once more.
func (q *Queue) redrive(m *message, now time.Time) bool {
	to := q.cfg.Redrive.To
	if to == nil || m.receives-m.carried < q.cfg.Redrive.MaxReceives {
		return false
	}
	reason := fmt.Sprintf("received %d times", m.receives-m.carried)
	if last := q.ledger.lastFailure(m.id); last != "" {
		reason += ", at last " + last
	}
	q.remove(m)
	to.takeDeadLetter(m, q.ARN(), now)
	q.ledger.settle(m.id, DeadLettered, reason, now)
	if q.cfg.OnDeadLetter != nil {
		entry, _ := q.ledger.Entry(m.id)
		q.letters = append(q.letters, entry)
	}
	return true
}

// reportLetters calls OnDeadLetter without q.mu, so that it may call the queue. It
// reports whether there was something.
func (q *Queue) reportLetters() bool {
	letters := q.letters
	q.letters = nil
	if len(letters) == 0 {
		return false
	}
	q.mu.Unlock()
	defer q.mu.Lock()
	for _, entry := range letters {
		q.cfg.OnDeadLetter(entry)
	}
	return true
}

// takeDeadLetter adds a message with its id. Its age goes on, except in a FIFO queue,
// and so does its receive count.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
func (q *Queue) takeDeadLetter(m *message, from string, now time.Time) {
	letter := &message{
		Message: m.Message, id: m.id, source: from, md5: m.md5, md5OfAttributes: m.md5OfAttributes,
		sent: m.sent, firstReceived: m.firstReceived, receives: m.receives, carried: m.receives, index: -1,
	}
	letter.Delay = 0
	if q.fifo {
		letter.sent = now
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass(now)
	q.add(letter, now)
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

func (m *message) received() Received {
	attributes := map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(m.receives),
		"SentTimestamp":           unixMilli(m.sent),
		"SenderId":                senderID,
	}
	set := func(name, value string) {
		if value != "" {
			attributes[name] = value
		}
	}
	if !m.firstReceived.IsZero() {
		attributes["ApproximateFirstReceiveTimestamp"] = unixMilli(m.firstReceived)
	}
	set("AWSTraceHeader", m.TraceHeader)
	set("MessageGroupId", m.Group)
	set("MessageDeduplicationId", m.Deduplication)
	set("SequenceNumber", m.sequence)
	set("DeadLetterQueueSourceArn", m.source)
	return Received{
		ID: m.id, ReceiptHandle: m.receipt, Body: m.Body, Attributes: attributes, MessageAttributes: m.Message.Attributes,
		MD5OfBody: m.md5, MD5OfMessageAttributes: m.md5OfAttributes,
	}
}

func unixMilli(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func (m Received) receiveCount() int {
	n, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return n
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

// ChangeVisibility hides a message that is in flight for another time from now on, or
// shows it at once when that is 0. The error is a [*Refusal].
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
	m.visible = now.Add(timeout)
	heap.Fix(&q.hidden, m.index)
	q.pass(now)
	q.wake()
	return nil
}

// Delete removes a message, as a function may itself. A message that was received again
// since stays. The error is a [*Refusal].
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
	q.ledger.removed(m.id, now)
	q.clock.set(&q.alarm, q.next())
	if q.fifo {
		q.wake() // its group may be free
	}
	return true
}

// Run calls the function until ctx ends; see [Poller.Run].
func (q *Queue) Run(ctx context.Context) error {
	if q.poller == nil {
		return errors.New("source: the queue " + q.cfg.Name + " has no function")
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
	err := q.ledger.Wait(ctx, func(c Counts) bool { return c.Waiting == 0 })
	cancel(nil)
	return errors.Join(<-ran, err)
}

// receiveUntil waits for messages until a time, or until ctx ends. The zero time is no
// bound.
func (q *Queue) receiveUntil(ctx context.Context, most int, visibility time.Duration, until time.Time) []Received {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		now := q.clock.Now()
		q.pass(now)
		var got []Received
		for _, m := range q.take(most, visibility, now) {
			got = append(got, m.received())
		}
		if q.reportLetters() && len(got) == 0 {
			continue // there may be more by now
		}
		if len(got) > 0 || ctx.Err() != nil || (!until.IsZero() && !now.Before(until)) {
			return got
		}
		q.clock.set(&q.alarm, q.next())
		w := q.clock.waiterFor(until, &q.alarm)
		q.waiting[w] = struct{}{}
		q.mu.Unlock()
		q.clock.await(ctx, w)
		q.mu.Lock()
		delete(q.waiting, w)
	}
}

// sizes are the numbers of messages that can be received, were received, and are
// delayed.
func (q *Queue) sizes() (visible, inFlight, delayed int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pass(q.clock.Now())
	for _, m := range q.hidden {
		if m.delivering {
			inFlight++
		}
	}
	return len(q.messages) - len(q.hidden), inFlight, len(q.hidden) - inFlight
}

// memory is the Store of a Queue.
type memory struct{ q *Queue }

func (s memory) Receive(ctx context.Context, most int, until time.Time) ([]Received, error) {
	return s.q.receiveUntil(ctx, most, s.q.cfg.VisibilityTimeout, until), nil
}

func (s memory) Delete(_ context.Context, messages []Received) (kept []Received, err error) {
	for _, m := range messages {
		if !s.q.delete(m.ReceiptHandle) {
			kept = append(kept, m)
		}
	}
	return kept, nil
}

// Release takes the receipt back, as it was not one for the function.
func (s memory) Release(_ context.Context, messages []Received) error {
	q := s.q
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	for i := len(messages) - 1; i >= 0; i-- {
		m := q.held(messages[i].ReceiptHandle)
		if m == nil || m.index < 0 {
			continue
		}
		heap.Remove(&q.hidden, m.index)
		if m.receives--; m.receives == 0 {
			m.firstReceived = time.Time{}
		}
		if q.show(m); m.ready != nil {
			q.ready.MoveToFront(m.ready)
		}
	}
	q.pass(now)
	q.wake()
	return nil
}

// hidden is a heap of messages by the time of their return.
type hidden []*message

func (h hidden) Len() int { return len(h) }

func (h hidden) Less(i, j int) bool {
	if h[i].visible.Equal(h[j].visible) {
		return h[i].turn < h[j].turn
	}
	return h[i].visible.Before(h[j].visible)
}

func (h hidden) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *hidden) Push(m any) {
	m.(*message).index = len(*h)
	*h = append(*h, m.(*message))
}

func (h *hidden) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	m.index = -1
	return m
}
