package jwt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
)

// SetClock sets the clock of a verifier and of the keys that it fetches.
func (v *Verifier) SetClock(now func() time.Time) { v.clock = now }

// CheckJWS verifies a signature as a Verifier with these keys does, and returns
// the payload without a check.
func CheckJWS(k Keys, accepted []Algorithm, text string) ([]byte, error) {
	c := Config{Algorithms: accepted}
	v := &Verifier{config: c.withDefaults(), encoding: jws.Unpadded, keys: staticKeys{k.set}}
	t, err := v.split(text, time.Time{})
	if err != nil {
		return nil, err
	}
	if _, err := v.checkSignature(context.Background(), t); err != nil {
		return nil, err
	}
	payload, ok := jws.Unpadded.Decode(t.payload)
	if !ok {
		return nil, refuse(codeMalformed, "")
	}
	return payload, nil
}

// FetchTimeout returns how long an answer is waited for.
func (v *Verifier) FetchTimeout() time.Duration { return v.fetcher.timeout }

// SetFetchTimeout changes it.
func (v *Verifier) SetFetchTimeout(d time.Duration) { v.fetcher.timeout = d }

// Trust makes the verifier's own client trust a server of a test, by HTTP/2 too.
func (v *Verifier) Trust(roots *x509.CertPool) {
	transport := v.fetcher.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	transport.ForceAttemptHTTP2 = true
}

// Waiters returns how many wait for the fetch that is under way.
func (v *Verifier) Waiters() int {
	r := v.keys.(*remoteKeys)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetching == nil {
		return 0
	}
	return r.fetching.Aboard()
}

// CachedTokens returns how many tokens are kept.
func (v *Verifier) CachedTokens() int {
	v.cache.mu.Lock()
	defer v.cache.mu.Unlock()
	return len(v.cache.tokens)
}

// BalancerKeys returns how many keys of load balancers are kept.
func (v *Verifier) BalancerKeys() int {
	b := v.keys.(*balancerKeys)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.keys)
}
