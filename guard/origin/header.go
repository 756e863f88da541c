package origin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"regexp"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// shortestSecret is the minimal length of a header's secret, in bytes.
const shortestSecret = 16

// Header returns a rule that the request has a header with a secret value, which a CDN
// or a firewall adds. A request that goes around it lacks the value. The current
// and the previous value of the secret are accepted, see [secrets.Cache.Pair], and
// compared in constant time. The rule refuses a request with several such headers.
//
// To change the value, store the new one, wait for as long as the cache keeps values,
// and then change the CDN. A value that has leaked is refused after two changes.
//
// The error is the cache's if the secret cannot be read. It is Internal if the value has
// less than 16 bytes. Of a WebSocket API only $connect has headers, so the rule refuses
// its messages.
//
// Header panics if name is not the name of a header or is Cookie, if cache is nil, and
// if secret is empty.
func Header(name string, cache *secrets.Cache, secret string) Rule {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(name) || strings.EqualFold(name, "cookie") {
		panic("origin: Header: not the name of a header that may hold a secret: " + name)
	}
	if cache == nil || secret == "" {
		panic("origin: Header without a cache or the name of a secret")
	}
	return Rule{judge: func(ctx context.Context, o *origin) error {
		if o.request == nil || o.request.HeaderLines(name) == 0 {
			return refused("Header", notSaid)
		}
		if o.request.HeaderLines(name) > 1 {
			return refused("Header", "the request has several")
		}
		current, previous, err := cache.Pair(ctx, secret)
		if err != nil {
			return fmt.Errorf("origin: the secret of a header: %w", err)
		}
		if len(current.Text()) < shortestSecret {
			return &guard.Error{Kind: guard.Internal, Code: "origin_secret_short", Err: guard.Reason("origin: Header: the secret has less than 16 bytes")}
		}
		sent := o.request.Header(name)
		known := equal(sent, current.Text())
		if len(previous.Text()) >= shortestSecret { // none, or one that was replaced for that
			known |= equal(sent, previous.Text())
		}
		if known != 1 {
			return refused("Header", foreign)
		}
		return nil
	}}
}

// equal compares hashes, because comparing the texts would take a time that depends on
// their lengths.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}
