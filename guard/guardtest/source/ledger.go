package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// An Outcome is what became of a message.
type Outcome string

// The outcomes. Check accepts Done, DeadLettered and Filtered.
const (
	Waiting      Outcome = "waiting"       // still in the source, or being delivered
	Done         Outcome = "done"          // delivered, and then removed as handled
	DeadLettered Outcome = "dead-lettered" // moved to a dead-letter queue or a destination
	Filtered     Outcome = "filtered"      // removed because no filter of the mapping matched it
	Expired      Outcome = "expired"       // removed because it was too old: lost
	Dropped      Outcome = "dropped"       // given up after the last attempt, with nowhere to go: lost
)

// A Ledger records what a source did with each of its messages: an SQS message, a
// record of a stream, or an event of an asynchronous invocation.
//
// Only the source writes to it. An invocation that succeeds without its messages being
// removed from the source leaves them waiting, whatever the function answered.
type Ledger struct {
	countOnly bool // entries that are done or filtered are counted and then forgotten

	mu      sync.Mutex
	entries map[string]*entry // by message id
	first   *entry            // in the order of sending
	last    *entry
	tails   map[string]*entry // group → its last entry that is not settled
	counts  Counts
	wrong   []string // breaches of order and of the ledger itself, the first maxWrong
	wrongs  int
	changed chan struct{} // closed at the next change; nil when nobody waits
}

// An Entry is the record of one message.
type Entry struct {
	ID      string // message id, sequence number, or the id of an event
	Group   string // whose order is kept: message group, shard or partition key; empty for none
	Sent    time.Time
	Outcome Outcome
	Reason  string    // why it was dead-lettered, expired or dropped
	Settled time.Time // when it stopped waiting

	Deliveries []Delivery
}

// A Delivery is one invocation with the message in its event.
type Delivery struct {
	RequestID string
	At        time.Time
	Attempt   int // ApproximateReceiveCount, or the number of the attempt; from 1
	Batch     int // number of the source's invocation, from 1

	// Failure is why the message was to come again: the error type of a failed
	// invocation, or one of the words of this package. It is empty for a message that
	// succeeded or is being delivered.
	Failure string
}

// Counts are the numbers of messages by outcome, and of invocations and deliveries.
// Sent is the sum of all outcomes.
type Counts struct {
	Sent         int `json:"sent"`
	Waiting      int `json:"waiting"`
	Done         int `json:"done"`
	DeadLettered int `json:"deadLettered"`
	Filtered     int `json:"filtered"`
	Expired      int `json:"expired"`
	Dropped      int `json:"dropped"`
	Batches      int `json:"batches"`
	Deliveries   int `json:"deliveries"`
}

// of is the count of an outcome.
func (c *Counts) of(o Outcome) *int {
	switch o {
	case Waiting:
		return &c.Waiting
	case Done:
		return &c.Done
	case DeadLettered:
		return &c.DeadLettered
	case Filtered:
		return &c.Filtered
	case Expired:
		return &c.Expired
	case Dropped:
		return &c.Dropped
	}
	panic("source: no outcome " + string(o))
}

// maxWrong is how many breaches are kept in words.
const maxWrong = 20

type entry struct {
	Entry
	next, prev     *entry // in the order of sending
	earlier, later *entry // unsettled neighbours of its group
	inBatch        int    // of its last delivery
}

func newLedger(countOnly bool) *Ledger {
	return &Ledger{countOnly: countOnly, entries: map[string]*entry{}, tails: map[string]*entry{}}
}

// Counts returns the numbers so far.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// Entry returns the record of a message.
func (l *Ledger) Entry(id string) (Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[id]
	if !ok {
		return Entry{}, false
	}
	return e.copy(), true
}

// Entries returns the records with one of the outcomes, or all without one, in the
// order of sending.
func (l *Ledger) Entries(outcomes ...Outcome) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Entry
	for e := l.first; e != nil; e = e.next {
		wanted := len(outcomes) == 0
		for _, o := range outcomes {
			wanted = wanted || e.Outcome == o
		}
		if wanted {
			found = append(found, e.copy())
		}
	}
	return found
}

func (e *entry) copy() Entry {
	c := e.Entry
	c.Deliveries = append([]Delivery(nil), e.Deliveries...)
	return c
}

// Wait returns when holds does, which is called at the beginning and after changes. The
// error wraps ctx's and has the counts in it.
func (l *Ledger) Wait(ctx context.Context, holds func(Counts) bool) error {
	for {
		l.mu.Lock()
		counts := l.counts
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		if holds(counts) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("source: waited in vain: %w; the counts: %+v", context.Cause(ctx), counts)
		}
	}
}

// Check returns an error unless each message is done, dead-lettered or filtered, and
// each group was handled in order. The error names the messages, at most ten of a kind:
// those that wait, those that are lost, and those that overtook another of their group.
// A message overtakes an earlier one when it is delivered or done while the earlier one
// waits, unless both were delivered together.
func (l *Ledger) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 10
	var wrong []string
	waiting, lost := 0, 0
	for e := l.first; e != nil; e = e.next {
		switch e.Outcome {
		case Waiting:
			if waiting++; waiting <= most {
				wrong = append(wrong, e.String()+" is neither done nor dead-lettered"+e.history())
			}
		case Expired, Dropped:
			if lost++; lost <= most {
				wrong = append(wrong, e.String()+" is lost: "+string(e.Outcome)+", "+e.Reason+e.history())
			}
		}
	}
	wrong = append(wrong, l.wrong[:min(len(l.wrong), most)]...)
	more := max(0, waiting-most) + max(0, lost-most) + max(0, l.wrongs-most)
	if sum := l.counts.Waiting + l.counts.Done + l.counts.DeadLettered + l.counts.Filtered + l.counts.Expired + l.counts.Dropped; sum != l.counts.Sent {
		wrong = append(wrong, fmt.Sprintf("%d messages were sent, and %d are accounted for", l.counts.Sent, sum))
	}
	if len(wrong) == 0 {
		return nil
	}
	if more > 0 {
		wrong = append(wrong, fmt.Sprintf("and %d more", more))
	}
	return errors.New("source: " + strings.Join(wrong, "\n\t"))
}

func (e *entry) String() string {
	if e.Group == "" {
		return "message " + e.ID
	}
	return fmt.Sprintf("message %s of group %q", e.ID, e.Group)
}

func (e *entry) history() string {
	if len(e.Deliveries) == 0 {
		return "; it was never delivered"
	}
	last := e.Deliveries[len(e.Deliveries)-1]
	text := fmt.Sprintf("; it was delivered %d times, last in batch %d", len(e.Deliveries), last.Batch)
	if last.Failure != "" {
		text += ": " + last.Failure
	}
	return text
}

// What follows is for the sources of this package: each message is sent once, then
// delivered and failed any number of times, then settled once.

// sent opens an entry. It returns false if there is one of this id.
func (l *Ledger) sent(id, group string, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.entries[id]; there {
		return false
	}
	e := &entry{Entry: Entry{ID: id, Group: group, Sent: at, Outcome: Waiting}, prev: l.last}
	l.entries[id] = e
	if l.last == nil {
		l.first = e
	} else {
		l.last.next = e
	}
	l.last = e
	if group != "" {
		if e.earlier = l.tails[group]; e.earlier != nil {
			e.earlier.later = e
		}
		l.tails[group] = e
	}
	l.counts.Sent++
	l.counts.Waiting++
	l.change()
	return true
}

// A delivered message is part of a batch.
type delivered struct {
	id      string
	attempt int
}

// batch records that a function is being called with messages, and returns the number
// of the batch.
func (l *Ledger) batch(requestID string, at time.Time, messages []delivered) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Batches++
	number := l.counts.Batches
	for _, m := range messages {
		e := l.entries[m.id]
		if e == nil || e.Outcome != Waiting {
			l.breach("message %s was delivered in batch %d, and is not one that waits", m.id, number)
			continue
		}
		l.counts.Deliveries++
		e.Deliveries = append(e.Deliveries, Delivery{RequestID: requestID, At: at, Attempt: m.attempt, Batch: number})
		e.inBatch = number
		if before := e.earlier; before != nil && before.inBatch != number {
			l.breach("%s was delivered in batch %d before message %s, sent earlier, was done", e, number, before.ID)
		}
	}
	l.change()
	return number
}

// failed records why a message of a batch is to come again.
func (l *Ledger) failed(id string, batch int, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil {
		return
	}
	if e.Outcome == Done && e.inBatch == batch && why == NotDeleted {
		return // the function has deleted it
	}
	for i := len(e.Deliveries) - 1; i >= 0; i-- {
		if e.Deliveries[i].Batch == batch {
			e.Deliveries[i].Failure = why
			break
		}
	}
	l.change()
}

// settle closes an entry.
func (l *Ledger) settle(id string, outcome Outcome, reason string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil || e.Outcome != Waiting {
		l.breach("message %s became %s, and was not one that waits", id, outcome)
		return
	}
	if outcome == Done {
		if len(e.Deliveries) == 0 {
			l.breach("%s was removed as done, and never delivered", e)
		}
		if e.earlier != nil {
			l.breach("%s was done before message %s, sent earlier", e, e.earlier.ID)
		}
	}
	e.Outcome, e.Reason, e.Settled = outcome, reason, at
	l.counts.Waiting--
	*l.counts.of(outcome)++
	if e.Group != "" {
		l.leaveGroup(e)
	}
	if l.countOnly && (outcome == Done || outcome == Filtered) {
		l.forget(e)
	}
	l.change()
}

// removed closes the entry of a message that is deleted from its source: it is done,
// unless it was filtered, or done by another delivery at the same time.
func (l *Ledger) removed(id string, at time.Time) {
	if e, ok := l.Entry(id); (ok && e.Outcome != Waiting) || (!ok && l.countOnly) {
		return
	}
	l.settle(id, Done, "", at)
}

// filtered closes an entry, and does nothing for one that is closed so.
func (l *Ledger) filtered(id string, at time.Time) {
	if e, ok := l.Entry(id); ok && e.Outcome == Waiting {
		l.settle(id, Filtered, "", at)
	}
}

// reopen has a message wait again whose removal failed, or that came again after it. The
// order of its group is not judged by it any more.
func (l *Ledger) reopen(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil || e.Outcome != Done {
		return
	}
	e.Outcome, e.Settled = Waiting, time.Time{}
	l.counts.Done--
	l.counts.Waiting++
	l.change()
}

func (l *Ledger) lastFailure(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil || len(e.Deliveries) == 0 {
		return ""
	}
	return e.Deliveries[len(e.Deliveries)-1].Failure
}

func (l *Ledger) leaveGroup(e *entry) {
	if e.earlier != nil {
		e.earlier.later = e.later
	}
	if e.later != nil {
		e.later.earlier = e.earlier
	} else if e.earlier != nil {
		l.tails[e.Group] = e.earlier
	} else if l.tails[e.Group] == e {
		delete(l.tails, e.Group)
	}
	e.earlier, e.later = nil, nil
}

func (l *Ledger) forget(e *entry) {
	delete(l.entries, e.ID)
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.last = e.prev
	}
}

func (l *Ledger) breach(format string, args ...any) {
	l.wrongs++
	if len(l.wrong) < maxWrong {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

func (l *Ledger) change() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
