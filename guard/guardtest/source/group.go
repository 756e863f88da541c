package source

import (
	"container/list"
	"time"
)

type group struct {
	messages []*message
	inFlight int
	ready    *list.Element
}

func (g *group) drop(m *message) {
	i := 0
	for g.messages[i] != m {
		i++
	}
	copy(g.messages[1:i+1], g.messages[:i])
	g.messages[0] = nil
	g.messages = g.messages[1:]
}

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

type dedup struct {
	id    string
	until time.Time
}
