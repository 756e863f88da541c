package jwt

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
)

// maxCached is how long a verified token is kept at most.
const maxCached = 5 * time.Minute

// A tokenCache keeps verified tokens by their SHA-256, so that it holds no
// credential. It is emptied when it is full.
type tokenCache struct {
	size int

	mu     sync.Mutex
	tokens map[[sha256.Size]byte]cachedToken
}

type cachedToken struct {
	*verified
	from, until time.Time
}

func newTokenCache(size int) *tokenCache {
	return &tokenCache{size: size, tokens: map[[sha256.Size]byte]cachedToken{}}
}

// find returns a token that was verified before, or nil.
func (c *tokenCache) find(text string, now time.Time) *verified {
	if len(text) > maxToken {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tokens[sum]; ok && clock.Within(now, t.from, t.until) {
		return t.verified
	}
	return nil
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
	if len(c.tokens) >= c.size {
		clear(c.tokens)
	}
	c.tokens[sum] = cachedToken{v, now, until}
}
