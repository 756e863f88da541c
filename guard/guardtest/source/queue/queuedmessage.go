package queue

import (
	"container/heap"
	"container/list"
	"fmt"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

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
	taken               time.Time // when it was received last
	visible             time.Time // while it is hidden
	turn                uint64    // of those that are visible at the same time
	delivering          bool      // it is hidden since it was received

	age, ready *list.Element
	index      int // in hidden, or -1
	group      *group
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
	q.ledger.Sent(m.id, inOrder, m.sent)
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

// pass does what the passing of time does. The caller holds q.mu.
func (q *Queue) pass(now time.Time) {
	for len(q.hidden) > 0 && !q.hidden[0].visible.After(now) {
		q.show(heap.Pop(&q.hidden).(*message))
	}
	for e := q.byAge.Front(); e != nil && !e.Value.(*message).sent.Add(q.cfg.Retention).After(now); e = q.byAge.Front() {
		m := e.Value.(*message)
		q.remove(m)
		q.ledger.Settle(m.id, source.Expired, "in the queue for "+q.cfg.Retention.String(), now)
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
		q.clock.Wake(w)
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
