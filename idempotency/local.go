package idempotency

import (
	"bytes"
	"sync"
)

// maxLocalResult limits the memory of local replays.
const maxLocalResult = 64 << 10

// localReplays holds the most recently used completed records. A nil one is empty.
type localReplays struct {
	limit int

	mu    sync.Mutex // guards what follows
	byKey map[string]*localReplay
	uses  int // so far
}

type localReplay struct {
	Record
	lastUse int
}

func (l *localReplays) get(key string) (Record, bool) {
	if l == nil {
		return Record{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.byKey[key]
	if !ok {
		return Record{}, false
	}
	if !wallClock().Before(found.Expires) {
		delete(l.byKey, key)
		return Record{}, false
	}
	l.uses++
	found.lastUse = l.uses
	r := found.Record
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
	l.uses++
	l.byKey[r.Key] = &localReplay{Record: r, lastUse: l.uses}
	if len(l.byKey) <= l.limit {
		return
	}
	oldest := r.Key
	for key, other := range l.byKey {
		if other.lastUse < l.byKey[oldest].lastUse {
			oldest = key
		}
	}
	delete(l.byKey, oldest)
}

// forget drops all records.
func (l *localReplays) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.byKey)
}
