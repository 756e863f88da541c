package secrets

import (
	"errors"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// entry is the cached state of a Ref. It never changes; a fetch makes a new one.
// Times are by the wall clock.
type entry struct {
	secret    Secret // zero: there is no value
	denied    error  // the source's last answer, if that was no value
	confirmed bool   // the value was rejected, fetched again and is the same

	// Of the last answer, a value or a denial.
	fetch      uint64    // number of the fetch
	fetchedAt  time.Time // when it began
	freshUntil time.Time
	staleUntil time.Time

	failures flight.Failures // of the fetches since
}

var noEntry = new(entry)

// The wait before a fetch is repeated that failed. It doubles from firstRetry to
// lastRetry, or to blindRetry if there is no stale value. A value that was
// rejected is fetched again after urgentRetry.
const (
	firstRetry  = time.Second
	blindRetry  = 5 * time.Second
	lastRetry   = time.Minute
	urgentRetry = time.Second
)

// demand is what a caller requires of an answer, besides freshness.
type demand struct {
	fetch    uint64 // the answer is of this fetch or a later one
	rejected bool   // the last value was not accepted where it was used

	// current is the current value, set if the caller wants the value before it.
	// The answer may then be that there is none.
	current *content
}

// verdict is how a caller can use an entry.
type verdict uint8

const (
	mustFetch verdict = iota
	isFresh
	isDenied
	isUnavailable // and is not asked yet
)

func (e *entry) judge(now time.Time, d demand) verdict {
	if e.fetch >= d.fetch && e.isFresh(now) {
		if e.denied != nil {
			return isDenied
		}
		if !e.secret.IsZero() {
			return isFresh
		}
	}
	if d.rejected && e.confirmed && clock.Within(now, e.fetchedAt, e.fetchedAt.Add(urgentRetry)) {
		return isFresh
	}
	if e.failures.Err != nil && clock.Within(now, e.failures.At, e.retryAt(d)) {
		return isUnavailable
	}
	return mustFetch
}

func (e *entry) isFresh(now time.Time) bool { return clock.Within(now, e.fetchedAt, e.freshUntil) }

// retryAt is when the source may be asked again after a failure.
func (e *entry) retryAt(d demand) time.Time {
	if urgent := e.failures.At.Add(urgentRetry); d.rejected && urgent.Before(e.failures.Retry) {
		return urgent
	}
	return e.failures.Retry
}

// serves reports whether the value may be served past its TTL.
func (e *entry) serves(now time.Time, d demand) bool {
	return !e.secret.IsZero() && e.fetch >= d.fetch && clock.Within(now, e.fetchedAt, e.staleUntil)
}

// suffices reports whether a caller can go on without the source: with a stale
// value, or because there is known to be none before the current one.
func (e *entry) suffices(now time.Time, d demand) bool {
	return e.serves(now, d) || d.current != nil && e.isNoneBefore(d.current)
}

// isNoneBefore reports whether the source said that there is no value before the
// current one. That stays true until the next rotation.
func (e *entry) isNoneBefore(current *content) bool {
	return e.denied != nil && errors.Is(e.denied, ErrNotFound) && current.predates(e.fetch)
}

// withValue returns the entry after a call that brought v.
func (c *Cache) withValue(old *entry, v *Value, at *call) *entry {
	known := old.secret.content()
	same := !old.secret.IsZero() && known.version == v.Version && known.text == string(v.Data)
	if !same {
		known = &content{
			name: at.ref.Name, text: string(v.Data), version: v.Version,
			first: at.number, begun: c.begun.Load(),
		}
	}
	fresh := at.began.Add(c.vary(c.ttl))
	// A time in the past means that the replacement is late.
	if v.Expires.After(at.began) && v.Expires.Before(fresh) {
		fresh = v.Expires
	}
	return &entry{
		secret:    Secret{open: known.self, fetchedAt: at.began, fetch: at.number},
		confirmed: same && at.rejected,
		fetch:     at.number, fetchedAt: at.began, freshUntil: fresh, staleUntil: fresh.Add(c.maxStale),
	}
}

// withDenial returns the entry after a call that brought no value.
func (c *Cache) withDenial(err error, at *call) *entry {
	return &entry{denied: err, fetch: at.number, fetchedAt: at.began, freshUntil: at.began.Add(c.negativeTTL)}
}

// withFailure returns the entry after a call without an answer. The value is
// dropped once it can no longer be served; a denial is kept.
func (c *Cache) withFailure(old *entry, err error, now time.Time) *entry {
	next, backoff := *old, c.backoff()
	if !old.serves(now, demand{}) {
		next.secret, next.confirmed, backoff.Longest = Secret{}, false, blindRetry
	}
	next.failures = old.failures.And(err, now, backoff)
	return &next
}

func (c *Cache) backoff() flight.Backoff {
	return flight.Backoff{First: firstRetry, Longest: lastRetry, Vary: c.vary}
}

// vary changes a time by the jitter.
func (c *Cache) vary(d time.Duration) time.Duration {
	return d + time.Duration(float64(d)*c.jitter*(2*c.random()-1))
}
