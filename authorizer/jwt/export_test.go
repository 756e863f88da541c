package jwt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"
)

// SetClock gives a verifier, and the keys that it fetches, another clock.
func (v *Verifier) SetClock(now func() time.Time) { v.now = now }

// CheckJWS judges a signature as a Verifier of these keys does, and nothing
// that the payload says.
func CheckJWS(k Keys, accepted []Algorithm, text string) ([]byte, error) {
	v := &Verifier{algorithms: accepted, encoding: unpadded, keys: fixed{keySet: k.set}, types: (&Config{}).types()}
	t, err := v.parse(text, time.Time{})
	if err != nil {
		return nil, err
	}
	if _, err := v.checkSignature(context.Background(), t); err != nil {
		return nil, err
	}
	payload, ok := t.appendDecoded(nil, t.payload)
	if !ok {
		return nil, refuse(codeMalformed, "")
	}
	return payload, nil
}

// FetchTimeout is for how long an answer is waited for.
func (v *Verifier) FetchTimeout() time.Duration { return v.fetcher.timeout }

// SetFetchTimeout changes it.
func (v *Verifier) SetFetchTimeout(d time.Duration) { v.fetcher.timeout = d }

// Trust makes the verifier's own client trust a server of a test, by HTTP/2 too.
func (v *Verifier) Trust(roots *x509.CertPool) {
	transport := v.fetcher.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	transport.ForceAttemptHTTP2 = true
}

// Waiters is how many wait for the fetch that is under way.
func (v *Verifier) Waiters() int {
	r := v.keys.(*remote)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.flight == nil {
		return 0
	}
	return r.mu.flight.waiters
}

// Remembered is how many tokens are remembered.
func (v *Verifier) Remembered() int {
	v.remembered.mu.Lock()
	defer v.remembered.mu.Unlock()
	return len(v.remembered.newer) + len(v.remembered.older)
}

// BalancerKeys is how many keys of load balancers are kept.
func (v *Verifier) BalancerKeys() int {
	b := v.keys.(*balancerKeys)
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.keys)
}
