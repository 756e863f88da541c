package idempotency

import (
	"bytes"
	"container/list"
	"sync"
)

// maxLocalResult bounds what the local replays hold: n times as much.
const maxLocalResult = 64 << 10

// localReplays are the completed records that were last used here. A nil one
// has none.
type localReplays struct {
	limit int

	mu    sync.Mutex               // guards all below
	byKey map[string]*list.Element // of Record
	order *list.List               // the last used in front
}

func newLocalReplays(limit int) *localReplays {
	return &localReplays{limit: limit, byKey: make(map[string]*list.Element), order: list.New()}
}

func (l *localReplays) get(key string) (Record, bool) {
	if l == nil {
		return Record{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.byKey[key]
	if !ok {
		return Record{}, false
	}
	r := e.Value.(Record)
	if !wallClock().Before(r.Expires) {
		l.remove(e)
		return Record{}, false
	}
	l.order.MoveToFront(e)
	r.Result = bytes.Clone(r.Result)
	return r, true
}

func (l *localReplays) add(r Record) {
	if l == nil || len(r.Result) > maxLocalResult {
		return
	}
	r.Result = bytes.Clone(r.Result)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[r.Key]; ok {
		e.Value = r
		l.order.MoveToFront(e)
		return
	}
	l.byKey[r.Key] = l.order.PushFront(r)
	if l.order.Len() > l.limit {
		l.remove(l.order.Back())
	}
}

func (l *localReplays) remove(e *list.Element) {
	delete(l.byKey, l.order.Remove(e).(Record).Key)
}
