package source

import (
	"fmt"
	"time"
)

type Redrive struct {
	To          *Queue
	MaxReceives int // from 1 to 1000
}

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
