package queue

import (
	"container/list"
	"time"
)

// A group has the messages of a FIFO group in their order.
type group struct {
	messages []*message
	inFlight int
	ready    *list.Element
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

// A dupe is what a client gets that sends a message again: the first one's id and sequence
// number.
type dupe struct{ id, sequence string }

type dedup struct {
	id    string
	until time.Time
}
