package jwt

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// maxCached is how long a verified token is kept at most.
const maxCached = 5 * time.Minute

// A tokenCache keeps verified tokens by their SHA-256. It has two halves. When the
// newer one is full it replaces the older one, so tokens in use stay.
type tokenCache struct {
	half int // tokens in one half

	mu           sync.Mutex
	newer, older map[[sha256.Size]byte]cachedToken
}

type cachedToken struct {
	*verified
	from, until time.Time
}

func newTokenCache(tokens int) *tokenCache {
	return &tokenCache{half: max(tokens/2, 1), newer: map[[sha256.Size]byte]cachedToken{}}
}

// find returns a token that was verified before, or nil.
func (c *tokenCache) find(text string, now time.Time) *verified {
	if len(text) > maxToken {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	cached, isNew := c.newer[sum]
	if !isNew {
		cached = c.older[sum]
	}
	if cached.verified == nil || !clock.Within(now, cached.from, cached.until) {
		return nil
	}
	if !isNew {
		c.add(sum, cached)
	}
	return cached.verified
}

// keep adds a token that was verified at now.
func (c *tokenCache) keep(text string, v *verified, now time.Time) {
	until := now.Add(maxCached)
	if v.grant.Expires.Before(until) {
		until = v.grant.Expires
	}
	sum := sha256.Sum256([]byte(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(sum, cachedToken{v, now, until})
}

// add is called with c.mu held.
func (c *tokenCache) add(sum [sha256.Size]byte, t cachedToken) {
	if len(c.newer) >= c.half {
		c.older, c.newer = c.newer, make(map[[sha256.Size]byte]cachedToken, c.half)
	}
	c.newer[sum] = t
}
