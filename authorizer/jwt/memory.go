package jwt

import (
	"crypto/sha256"
	"sync"
	"time"
)

// rememberFor is for how long a verified token is remembered at most.
const rememberFor = 5 * time.Minute

// A memory has tokens that were verified, by their SHA-256. What was used
// lately is kept: entries are in two halves, and when the newer one is full it
// takes the place of the older.
type memory struct {
	half int // entries of one

	mu           sync.RWMutex
	newer, older map[digest256]*memorised
}

type digest256 = [sha256.Size]byte

type memorised struct {
	*result
	from, until time.Time
}

// digestOf spares a token of the usual size a copy on the heap.
func digestOf(token string) digest256 {
	var buf [2 << 10]byte
	if len(token) > len(buf) {
		return sha256.Sum256([]byte(token))
	}
	return sha256.Sum256(buf[:copy(buf[:], token)])
}

func newMemory(entries int) *memory {
	return &memory{half: max(entries/2, 1), newer: map[digest256]*memorised{}}
}

func (m *memory) find(token string, now time.Time) (*result, bool) {
	if len(token) > maxToken {
		return nil, false
	}
	sum := digestOf(token)
	m.mu.RLock()
	e, recent := m.newer[sum]
	if !recent {
		e = m.older[sum]
	}
	m.mu.RUnlock()
	if e == nil || !during(now, e.from, e.until) {
		return nil, false
	}
	if !recent {
		m.add(sum, e)
	}
	return e.result, true
}

// keep remembers a token that was verified at now.
func (m *memory) keep(token string, r *result, now time.Time, leeway time.Duration) {
	until := now.Add(rememberFor)
	if end := r.claims.Expires.Add(leeway); end.Before(until) {
		until = end
	}
	m.add(digestOf(token), &memorised{result: r, from: now, until: until})
}

func (m *memory) add(sum digest256, e *memorised) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.newer) >= m.half {
		m.older, m.newer = m.newer, make(map[digest256]*memorised, m.half)
	}
	m.newer[sum] = e
}
