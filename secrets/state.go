package secrets

import (
	"errors"
	"strings"
	"time"
)

// state is all that is known of a Ref. It never changes; what is learned makes
// a new one. Times are in nanoseconds since 1970, by the wall clock.
type state struct {
	secret Secret // what Get gives; the zero Secret: there is none
	denied error  // the source's last answer, in the place of one

	// Of the answer above, of whichever kind.
	seq   uint64 // the number of the fetch
	asked int64  // when it began
	fresh int64  // until when it stands
	stale int64  // until when a value serves while the source cannot be asked

	failure failure // of asking again
}

// failure is why there is no newer answer. None is its zero value.
type failure struct {
	err   error
	count int   // in a row
	at    int64 // when it was known
	retry int64 // when the source may be asked again
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
func (s *state) judge(now int64, d demand) verdict {
	if s.seq >= d.seq && within(now, s.asked, s.fresh) {
		if s.denied != nil {
			return isDenied
		}
		if !s.secret.IsZero() {
			return isFresh
		}
	}
	if d.rejected && s.secret.fetched().confirmed && within(now, s.asked, after(s.asked, urgentRetry)) {
		return isFresh
	}
	if f := &s.failure; f.err != nil && within(now, f.at, f.until(d)) {
		return isUnavailable
	}
	return mustAsk
}

// until is when the source may be asked again.
func (f *failure) until(d demand) int64 {
	if d.rejected {
		return min(f.retry, after(f.at, urgentRetry))
	}
	return f.retry
}

// serves reports whether the value may be given although it is past its TTL.
// One that is not what is demanded may not.
func (s *state) serves(now int64, d demand) bool {
	return !s.secret.IsZero() && s.seq >= d.seq && within(now, s.asked, s.stale)
}

// covers reports whether there is something to go on with while the source
// cannot be asked: a value, or that there is none before the current one.
func (s *state) covers(now int64, d demand) bool {
	return s.serves(now, d) || d.current != nil && s.seq >= d.seq && s.isNoneBefore(d.current)
}

// isNoneBefore reports whether the source, when it last answered, had the
// current value and not the one of s, before it. Nothing but a rotation changes
// that.
func (s *state) isNoneBefore(current *content) bool {
	return s.denied != nil && errors.Is(s.denied, ErrNotFound) && current.predates(s.seq)
}

// succeeded is the state after a call that brought v.
func (c *Cache) succeeded(old *state, v *Value, f call) *state {
	value := &fetched{at: time.Unix(0, f.began), seq: f.seq}
	if before := old.secret.fetched(); !old.secret.IsZero() && before.version == v.Version && before.text == string(v.Data) {
		value.content, value.confirmed = before.content, f.rejected
	} else {
		value.content = &content{name: strings.Clone(f.refs[f.index].Name), text: hold(v.Data), version: v.Version, brought: f.seq, begun: c.seq.Load()}
	}
	fresh := after(f.began, c.spread(c.ttl))
	// What should have been replaced by now and was not is late: nobody knows by
	// how much.
	if v.Expires.After(value.at) && v.Expires.Before(time.Unix(0, fresh)) {
		fresh = v.Expires.UnixNano()
	}
	return &state{
		secret: Secret{open: value.self},
		seq:    f.seq, asked: f.began, fresh: fresh, stale: after(fresh, c.maxStale),
	}
}

// refused is the state after an answer without a value.
func (c *Cache) refused(err error, f *batch) *state {
	return &state{denied: err, seq: f.seq, asked: f.began, fresh: after(f.began, c.negativeTTL)}
}

// failed is the state after a fetch that got no answer. A value goes when it
// can no longer be served; a denial is kept in mind.
func (c *Cache) failed(old *state, err error, now int64) *state {
	next, longest := *old, lastRetry
	if !old.serves(now, demand{}) {
		next.secret, longest = Secret{}, blindRetry
	}
	count := old.failure.count + 1
	wait := longest
	if count < 8 {
		wait = min(wait, firstRetry<<(count-1))
	}
	next.failure = failure{err: err, count: count, at: now, retry: after(now, c.spread(wait))}
	return &next
}

// spread varies a time by the jitter.
func (c *Cache) spread(d time.Duration) time.Duration {
	return d + time.Duration(float64(d)*c.jitter*(2*c.random()-1))
}
