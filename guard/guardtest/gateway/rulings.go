package gateway

import (
	"sync"
	"time"
)

// rulings is the cache of an authorizer in one stage.
type rulings struct {
	mu   sync.Mutex
	kept map[string]keptRuling // by identity
}

type keptRuling struct {
	*ruling
	until time.Time
}

// maxRulings bounds the cache, against clients that bring a new identity each time.
const maxRulings = 10_000

// get returns nil when there is none any more.
func (r *rulings) get(key string, now time.Time) *ruling {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.kept[key]
	if !ok || !now.Before(kept.until) {
		delete(r.kept, key)
		return nil
	}
	return kept.ruling
}

func (r *rulings) put(key string, ruling *ruling, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil || len(r.kept) >= maxRulings {
		r.kept = map[string]keptRuling{}
	}
	r.kept[key] = keptRuling{ruling, until}
}
