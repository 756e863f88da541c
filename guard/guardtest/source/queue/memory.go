package queue

import (
	"container/heap"
	"context"
	"strconv"
	"time"
)

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
		q.clock.Set(&q.alarm, q.next())
		w := q.clock.Waiter(until, &q.alarm)
		q.waiting[w] = struct{}{}
		q.mu.Unlock()
		q.clock.Await(ctx, w)
		q.mu.Lock()
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
	m.delivering, m.taken = true, now
	q.hide(m, now.Add(visibility))
	return m
}
