package secrets

import (
	"errors"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
)

// state is all that is known of a Ref. It never changes; what is learned makes
// a new one. Times are by the wall clock.
type state struct {
	secret Secret // what Get gives; the zero Secret: there is none
	denied error  // the source's last answer, in the place of one

	// Of the answer above, of whichever kind.
	seq   uint64    // the number of the fetch
	asked time.Time // when it began
	fresh time.Time // until when it stands
	stale time.Time // until when a value serves while the source cannot be asked

	failures flight.Failures // of asking again: why there is no newer answer
}

var unknown = new(state)

// firstRetry and lastRetry bound the backoff. Where there is nothing to serve
// in the meantime it grows no further than blindRetry.
const (
	firstRetry = time.Second
	blindRetry = 5 * time.Second
	lastRetry  = time.Minute
)

// urgentRetry is how long a value that is known to be wrong waits for the
// source to be asked again: after a failure, or after it was brought again.
const urgentRetry = time.Second

// verdict is what a state says of a Get.
type verdict uint8

const (
	mustAsk verdict = iota
	isFresh
	isDenied
	isUnavailable // and will be for a while
)

// demand is what an answer has to be besides fresh.
type demand struct {
	seq      uint64 // the number of the fetch that brought it, at least
	rejected bool   // the one before was found to be wrong

	// current is the value that none may be before, if one is served: see Pair.
	current *content
}

// judge tells what to do for one who asks at a time.
func (s *state) judge(now time.Time, d demand) verdict {
	if s.seq >= d.seq && clock.Within(now, s.asked, s.fresh) {
		if s.denied != nil {
			return isDenied
		}
		if !s.secret.IsZero() {
			return isFresh
		}
	}
	if d.rejected && s.secret.fetched().confirmed && clock.Within(now, s.asked, s.asked.Add(urgentRetry)) {
		return isFresh
	}
	if f := s.failures; f.Err != nil && clock.Within(now, f.At, s.retry(d)) {
		return isUnavailable
	}
	return mustAsk
}

// retry is when the source may be asked again after a failure.
func (s *state) retry(d demand) time.Time {
	if urgent := s.failures.At.Add(urgentRetry); d.rejected && urgent.Before(s.failures.Retry) {
		return urgent
	}
	return s.failures.Retry
}

// serves reports whether the value may be given although it is past its TTL.
// One that is not what is demanded may not.
func (s *state) serves(now time.Time, d demand) bool {
	return !s.secret.IsZero() && s.seq >= d.seq && clock.Within(now, s.asked, s.stale)
}

// covers reports whether there is something to go on with while the source
// cannot be asked: a value, or that there is none before the current one.
func (s *state) covers(now time.Time, d demand) bool {
	return s.serves(now, d) || d.current != nil && s.seq >= d.seq && s.isNoneBefore(d.current)
}

// isNoneBefore reports whether the source, when it last answered, had the
// current value and not the one of s, before it. Nothing but a rotation changes
// that.
func (s *state) isNoneBefore(current *content) bool {
	return s.denied != nil && errors.Is(s.denied, ErrNotFound) && current.predates(s.seq)
}

// succeeded is the state after a call that brought v.
func (c *Cache) succeeded(old *state, v *Value, at call) *state {
	value := &fetched{at: at.began, seq: at.seq}
	if before := old.secret.fetched(); !old.secret.IsZero() && before.version == v.Version && before.text == string(v.Data) {
		value.content, value.confirmed = before.content, at.rejected
	} else {
		name := strings.Clone(at.refs[at.index].Name)
		value.content = &content{name: name, text: string(v.Data), version: v.Version, brought: at.seq, begun: c.seq.Load()}
	}
	fresh := at.began.Add(c.spread(c.ttl))
	// What should have been replaced by now and was not is late: nobody knows by
	// how much.
	if v.Expires.After(at.began) && v.Expires.Before(fresh) {
		fresh = v.Expires.Round(0)
	}
	return &state{
		secret: Secret{open: value.self},
		seq:    at.seq, asked: at.began, fresh: fresh, stale: fresh.Add(c.maxStale),
	}
}

// refused is the state after a call that brought no value.
func (c *Cache) refused(err error, at call) *state {
	return &state{denied: err, seq: at.seq, asked: at.began, fresh: at.began.Add(c.negativeTTL)}
}

// failed is the state after a call that got no answer. A value goes when it can
// no longer be served; a denial is kept in mind.
func (c *Cache) failed(old *state, err error, now time.Time) *state {
	next, backoff := *old, c.backoff()
	if !old.serves(now, demand{}) {
		next.secret, backoff.Longest = Secret{}, blindRetry
	}
	next.failures = old.failures.And(err, now, backoff)
	return &next
}

func (c *Cache) backoff() flight.Backoff {
	return flight.Backoff{First: firstRetry, Longest: lastRetry, Vary: c.spread}
}

// spread varies a time by the jitter.
func (c *Cache) spread(d time.Duration) time.Duration {
	return d + time.Duration(float64(d)*c.jitter*(2*c.random()-1))
}
