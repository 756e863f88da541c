package queue

import (
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// Redrive is the redrive policy of a queue: a message that was received MaxReceives
// times moves to the queue To when it would be received again.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
type Redrive struct {
	To          *Queue
	MaxReceives int // from 1 to 1000
}

// redrive moves a message that was received too often, which is found out when it would
// be received once more.
func (q *Queue) redrive(m *message, now time.Time) bool {
	to := q.cfg.Redrive.To
	if to == nil || m.receives-m.carried < q.cfg.Redrive.MaxReceives {
		return false
	}
	reason := "received " + times(m.receives-m.carried)
	if last := q.ledger.LastFailure(m.id); last != "" {
		reason += ", at last " + last
	}
	q.remove(m)
	to.takeDeadLetter(m, q.ARN(), now)
	q.ledger.Settle(m.id, source.DeadLettered, reason, now)
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

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}
