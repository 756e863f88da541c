// Package book writes the ledgers of package source: what a source did with each of its
// messages. Tests get the reading side, a [source.Ledger].
package book

import (
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// A Book records what a source did with each of its messages. Each message is sent once,
// then delivered and failed any number of times, then settled once.
type Book struct {
	ledger
}

// count returns the count of an outcome.
func (b *Book) count(o source.Outcome) *int {
	switch c := &b.counts; o {
	case source.Waiting:
		return &c.Waiting
	case source.Done:
		return &c.Done
	case source.DeadLettered:
		return &c.DeadLettered
	case source.Filtered:
		return &c.Filtered
	case source.Expired:
		return &c.Expired
	case source.Dropped:
		return &c.Dropped
	}
	panic("source: no outcome " + string(o))
}

// maxWrong is how many breaches are kept in words.
const maxWrong = 20

// New returns an empty Book. With countOnly, entries that are done or filtered are counted
// and then forgotten.
func New(countOnly bool) *Book {
	return &Book{ledger{countOnly: countOnly, entries: map[string]*entry{}, tails: map[string]*entry{}}}
}

// Ledger returns the reading side.
func (b *Book) Ledger() source.Ledger { return &b.ledger }

// Sent opens an entry. It returns false if there is one of this id.
func (b *Book) Sent(id, group string, at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.entries[id]; there {
		return false
	}
	e := &entry{Entry: source.Entry{ID: id, Group: group, Sent: at, Outcome: source.Waiting}, prev: b.last}
	b.entries[id] = e
	if b.last == nil {
		b.first = e
	} else {
		b.last.next = e
	}
	b.last = e
	if group != "" {
		if e.earlier = b.tails[group]; e.earlier != nil {
			e.earlier.later = e
		}
		b.tails[group] = e
	}
	b.counts.Sent++
	b.counts.Waiting++
	b.change()
	return true
}

// A Delivered message is part of a batch.
type Delivered struct {
	ID      string
	Attempt int
}

// Batch records that a function is being called with messages, and returns the number
// of the batch.
func (b *Book) Batch(requestID string, at time.Time, messages []Delivered) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Batches++
	number := b.counts.Batches
	for _, m := range messages {
		e := b.entries[m.ID]
		if e == nil || e.Outcome != source.Waiting {
			b.breach("message %s was delivered in batch %d, and is not one that waits", m.ID, number)
			continue
		}
		b.counts.Deliveries++
		e.Deliveries = append(e.Deliveries, source.Delivery{RequestID: requestID, At: at, Attempt: m.Attempt, Batch: number})
		e.inBatch = number
		if before := e.earlier; before != nil && before.inBatch != number {
			b.breach("%s was delivered in batch %d before message %s, sent earlier, was done", e, number, before.ID)
		}
	}
	b.change()
	return number
}

// Failed records why a message of a batch is to come again.
func (b *Book) Failed(id string, batch int, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[id]
	if e == nil {
		return
	}
	if e.Outcome == source.Done && e.inBatch == batch {
		switch why { // the function has deleted it
		case source.NotDeleted:
			return
		case source.Reported:
			b.breach("%s was reported as failed in batch %d, and cannot come again: it was deleted", e, batch)
		}
	}
	for i := len(e.Deliveries) - 1; i >= 0; i-- {
		if e.Deliveries[i].Batch == batch {
			e.Deliveries[i].Failure = why
			break
		}
	}
	b.change()
}

// Settle closes an entry.
func (b *Book) Settle(id string, outcome source.Outcome, reason string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(id, outcome, reason, at)
	b.confirm(id)
}

func (b *Book) settle(id string, outcome source.Outcome, reason string, at time.Time) {
	e := b.entries[id]
	if e == nil || e.Outcome != source.Waiting {
		b.breach("message %s became %s, and was not one that waits", id, outcome)
		return
	}
	if outcome == source.Done {
		if len(e.Deliveries) == 0 {
			b.breach("%s was removed as done, and never delivered", e)
		}
		if e.earlier != nil {
			b.breach("%s was done before message %s, sent earlier", e, e.earlier.ID)
		}
	}
	e.Outcome, e.Reason, e.Settled = outcome, reason, at
	b.counts.Waiting--
	*b.count(outcome)++
	if e.Group != "" {
		b.leaveGroup(e)
	}
	b.change()
}

// Removed closes the entry of a message that is deleted from its source: it is done,
// unless it was filtered, or done by another delivery at the same time.
func (b *Book) Removed(id string, at time.Time) {
	b.Removing(id, at)
	b.Confirm(id)
}

// Removing is Removed for a message whose deletion can fail still. Reopen or Confirm
// follows.
func (b *Book) Removing(id string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[id]; (e != nil && e.Outcome != source.Waiting) || (e == nil && b.countOnly) {
		return
	}
	b.settle(id, source.Done, "", at)
}

// Filtered closes an entry, and does nothing for one that is closed so. The message is not
// deleted yet; Removed or Confirm follows.
func (b *Book) Filtered(id string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[id]; e != nil && e.Outcome == source.Waiting {
		b.settle(id, source.Filtered, "", at)
	}
}

// Confirm forgets an entry that is done or filtered if the book only counts those.
func (b *Book) Confirm(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.confirm(id)
}

func (b *Book) confirm(id string) {
	if e := b.entries[id]; b.countOnly && e != nil && (e.Outcome == source.Done || e.Outcome == source.Filtered) {
		b.forget(e)
	}
}

// Reopen has a message wait again whose removal failed, or that came again after it. The
// order of its group is not judged by it any more.
func (b *Book) Reopen(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[id]
	if e == nil || e.Outcome != source.Done {
		return
	}
	e.Outcome, e.Settled = source.Waiting, time.Time{}
	b.counts.Done--
	b.counts.Waiting++
	b.change()
}

// LastFailure returns why the last delivery of a message failed.
func (b *Book) LastFailure(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[id]
	if e == nil || len(e.Deliveries) == 0 {
		return ""
	}
	return e.Deliveries[len(e.Deliveries)-1].Failure
}

func (b *Book) leaveGroup(e *entry) {
	if e.earlier != nil {
		e.earlier.later = e.later
	}
	if e.later != nil {
		e.later.earlier = e.earlier
	} else if e.earlier != nil {
		b.tails[e.Group] = e.earlier
	} else if b.tails[e.Group] == e {
		delete(b.tails, e.Group)
	}
	e.earlier, e.later = nil, nil
}

func (b *Book) forget(e *entry) {
	delete(b.entries, e.ID)
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		b.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		b.last = e.prev
	}
}

func (b *Book) breach(format string, args ...any) {
	b.wrongs++
	if len(b.wrong) < maxWrong {
		b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
	}
}

func (b *Book) change() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
