package book

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// A ledger is a [source.Ledger].
type ledger struct {
	countOnly bool // entries that are done or filtered are counted and then forgotten

	mu      sync.Mutex
	entries map[string]*entry // by message id
	first   *entry            // in the order of sending
	last    *entry
	tails   map[string]*entry // group → its last entry that is not settled
	counts  source.Counts
	wrong   []string // breaches of order and of the ledger itself, the first maxWrong
	wrongs  int
	changed chan struct{} // closed at the next change; nil when nobody waits
}

type entry struct {
	source.Entry
	next, prev     *entry // in the order of sending
	earlier, later *entry // unsettled neighbours of its group
	inBatch        int    // of its last delivery
}

func (l *ledger) Counts() source.Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

func (l *ledger) Entry(id string) (source.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[id]
	if !ok {
		return source.Entry{}, false
	}
	return e.copy(), true
}

func (l *ledger) Entries(outcomes ...source.Outcome) []source.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []source.Entry
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

func (e *entry) copy() source.Entry {
	c := e.Entry
	c.Deliveries = append([]source.Delivery(nil), e.Deliveries...)
	return c
}

func (l *ledger) Wait(ctx context.Context, holds func(source.Counts) bool) error {
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

func (l *ledger) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 10
	var wrong []string
	waiting, lost := 0, 0
	for e := l.first; e != nil; e = e.next {
		switch e.Outcome {
		case source.Waiting:
			if waiting++; waiting <= most {
				wrong = append(wrong, e.String()+" is neither done nor dead-lettered"+e.history())
			}
		case source.Expired, source.Dropped:
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
