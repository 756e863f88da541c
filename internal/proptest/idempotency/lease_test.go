package idempotency_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"pgregory.net/rapid"
)

var errSeen = errors.New("seen")

// clerk is a store that takes down the claim that it is given, and fails.
type clerk struct {
	idempotency.Store
	record        idempotency.Record
	before, after time.Time // the wall clock, around the claim
}

func (c *clerk) Claim(_ context.Context, r idempotency.Record) (idempotency.Record, error) {
	c.record, c.after = r, time.Now().Round(0)
	return idempotency.Record{}, errSeen
}

func (c *clerk) Release(context.Context, idempotency.Record) error { return nil }

// deadline is a context of which only the deadline counts, and that is never
// over: what Lambda gives an invocation may be anything.
type deadline struct {
	context.Context
	end time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.end, true }

// Whatever time is left and whatever the options are, a lease ends: after the
// invocation and its skew, after what Lease says, and before the record counts
// no more.
func TestRule09EveryLeaseIsFiniteAndLongEnough(t *testing.T) {
	const year = 365 * 24 * time.Hour
	duration := func(least time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.OneOf(
			rapid.Int64Range(int64(least), int64(time.Minute)),
			rapid.Int64Range(int64(least), int64(100*year)),
			rapid.Just(int64(least)),
		), func(n int64) time.Duration { return time.Duration(n) })
	}
	rapid.Check(t, func(t *rapid.T) {
		var opts []idempotency.Option
		skew, least, ttl := 2*time.Second, time.Duration(0), 24*time.Hour // what is promised without options
		if rapid.Bool().Draw(t, "has skew") {
			skew = duration(0).Draw(t, "skew")
			opts = append(opts, idempotency.Skew(skew))
		}
		if rapid.Bool().Draw(t, "has lease") {
			least = duration(1).Draw(t, "lease")
			opts = append(opts, idempotency.Lease(least))
		}
		if rapid.Bool().Draw(t, "has ttl") {
			ttl = duration(time.Second).Draw(t, "ttl")
			opts = append(opts, idempotency.TTL(ttl))
		}
		c := &clerk{before: time.Now().Round(0)}
		ctx := t.Context()
		var end time.Time
		has := rapid.SampledFrom([]string{"no deadline", "a deadline", "1970", "year 1"}).Draw(t, "has")
		switch has {
		case "a deadline":
			left := time.Duration(rapid.OneOf(
				rapid.Int64Range(int64(-time.Hour), int64(time.Hour)), rapid.Int64Range(int64(-50*year), int64(50*year)), rapid.Just(int64(0)),
			).Draw(t, "left"))
			end = c.before.Add(left)
			ctx = deadline{Context: ctx, end: end}
		case "1970": // as some emulators have it
			ctx = deadline{Context: ctx, end: time.UnixMilli(0)}
		case "year 1":
			ctx = deadline{Context: ctx, end: time.Time{}}
		}
		op := idempotency.NewOperation("op", c, opts...)
		if _, err := idempotency.Do(ctx, op, "k", nil, func(context.Context) (int, error) { return 0, nil }); !errors.Is(err, errSeen) {
			t.Fatal(err)
		}

		// What the lease is, had the clock been read before and after.
		lease := func(now time.Time) time.Time {
			switch {
			case has == "a deadline":
				return later(later(end, now).Add(skew), now.Add(least))
			case least > 0:
				return now.Add(least)
			default:
				return now.Add(15*time.Minute + skew)
			}
		}
		mustLie(t, "the lease", c.record.Lease, lease(c.before), lease(c.after))
		mustLie(t, "the expiry", c.record.Expires, later(c.before.Add(ttl), lease(c.before)), later(c.after.Add(ttl), lease(c.after)))
		if !c.record.Lease.After(c.before) && skew+least > 0 || c.record.Lease.IsZero() || c.record.Expires.Before(c.record.Lease) {
			t.Fatalf("the lease ends at %v, the record at %v", c.record.Lease, c.record.Expires)
		}
		if n := c.record.Lease.UnixNano(); n <= 0 || n == math.MaxInt64 {
			t.Fatalf("no store can keep %v", c.record.Lease)
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// mustLie checks a time of the wall clock: the monotonic one may stand still
// while the process is frozen.
func mustLie(t *rapid.T, what string, at, from, to time.Time) {
	if at.Before(from) || at.After(to) {
		t.Fatalf("%s ends at %v, want %v to %v", what, at, from, to)
	}
	if at != at.Round(0) {
		t.Fatalf("%s has a monotonic reading: %v", what, at)
	}
}
