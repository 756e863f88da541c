package secrets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Option changes [New].
type Option func(*Cache)

const (
	defaultTTL          = 5 * time.Minute
	defaultMaxStale     = 15 * time.Minute
	defaultJitter       = 0.1
	defaultMaxEntries   = 1000
	defaultNegativeTTL  = 5 * time.Second
	defaultFetchTimeout = 2 * time.Second

	longest = 365 * 24 * time.Hour
)

func (c *Cache) setDefaults() {
	c.random = rand.Float64
	c.ttl, c.maxStale, c.negativeTTL = defaultTTL, defaultMaxStale, defaultNegativeTTL
	c.jitter, c.maxEntries, c.fetchTimeout = defaultJitter, defaultMaxEntries, defaultFetchTimeout
	c.previous = func(name string) Ref { return Ref{Name: name, Stage: "AWSPREVIOUS"} }
}

// TTL sets how long a value serves without the source being asked again, 5
// minutes when it is not set. It ends earlier where the source knows when a
// value is replaced, see [Value]. It is at most a year.
func TTL(d time.Duration) Option {
	mustBe("TTL", d > 0 && d <= longest, "positive and at most a year", d)
	return func(c *Cache) { c.ttl = d }
}

// MaxStale sets for how long after its TTL a value still serves while the
// source cannot be asked, 15 minutes when it is not set, at most a year. With
// 0 it does not.
func MaxStale(d time.Duration) Option {
	mustBe("MaxStale", d >= 0 && d <= longest, "not negative and at most a year", d)
	return func(c *Cache) { c.maxStale = d }
}

// Jitter sets by what fraction TTL and backoff vary, 0.1 when it is not set,
// so that processes which started together do not all ask at once.
func Jitter(fraction float64) Option {
	mustBe("Jitter", fraction >= 0 && fraction < 1, "at least 0 and less than 1", fraction)
	return func(c *Cache) { c.jitter = fraction }
}

// MaxEntries bounds what is kept, 1000 when it is not set. What was not used
// for longest goes first. Of two entries that were both used since the last one
// was added, either may go.
func MaxEntries(n int) Option {
	mustBe("MaxEntries", n > 0, "positive", n)
	return func(c *Cache) { c.maxEntries = n }
}

// NegativeTTL sets for how long a denial stands without the source being asked
// again, 5 s when it is not set, at most a year. With 0 every Get asks.
func NegativeTTL(d time.Duration) Option {
	mustBe("NegativeTTL", d >= 0 && d <= longest, "not negative and at most a year", d)
	return func(c *Cache) { c.negativeTTL = d }
}

// FetchTimeout sets how long one fetch may take, 2 s when it is not set. A fetch
// ends earlier with the last invocation that wants it. What a source has by then
// for some of several is taken; one that goes on is left alone 250 ms later.
func FetchTimeout(d time.Duration) Option {
	mustBe("FetchTimeout", d > 0 && d <= longest, "positive and at most a year", d)
	return func(c *Cache) { c.fetchTimeout = d }
}

// FetchReport describes a fetch to [OnFetch].
type FetchReport struct {
	Ref     Ref
	Version string        // of the value; "" with an error
	Began   time.Time     // the same for all that one call of the source was for
	Took    time.Duration // by the monotonic clock
	Err     error         // why there is no value
}

// OnFetch is called after each fetch, once for each value that it was for, and
// before those who wait for the fetch go on. It must be quick for that. A fetch
// that was given up or ran out of time has an error like another. The context is
// that of the call which began the fetch, without its cancellation. The hook may
// use the cache, which has what was fetched; it is called for a fetch
// that it begins as well. When it panics, those who wait get the error of that.
func OnFetch(fn func(ctx context.Context, f FetchReport)) Option {
	mustNotBeNil("OnFetch", fn == nil)
	return func(c *Cache) { c.onFetch = fn }
}

// StaleReport describes a stale value that was served to [OnStale].
type StaleReport struct {
	Ref     Ref
	Version string
	Age     time.Duration // since the fetch, by the wall clock
	Err     error         // why the source could not be asked; nil while another call asks it
}

// OnStale is called each time that a value past its TTL is served, in the
// goroutine and with the context of the caller. The record of the invocation has
// the name of the secret as staleSecret besides. OnStale is not called for what
// fn itself gets from the cache with its context.
func OnStale(fn func(ctx context.Context, s StaleReport)) Option {
	mustNotBeNil("OnStale", fn == nil)
	return func(c *Cache) { c.onStale = fn }
}

// Previous says where [Cache.Pair] finds the value before the current one, in
// the place of the stage AWSPREVIOUS of the same name. For a parameter that may
// be a label, for a file or a variable another name:
//
//	secrets.Previous(func(name string) secrets.Ref {
//		return secrets.Ref{Name: name + "_PREVIOUS"}
//	})
func Previous(of func(name string) Ref) Option {
	mustNotBeNil("Previous", of == nil)
	return func(c *Cache) { c.previous = of }
}

// Clock sets another clock in the place of the wall clock: for tests,
// with the time.Now of a testing/synctest bubble or one of their own.
func Clock(now func() time.Time) Option {
	mustNotBeNil("Clock", now == nil)
	return func(c *Cache) { c.clock = now }
}

func mustBe(option string, ok bool, what string, value any) {
	if !ok {
		panic(fmt.Sprintf("secrets: %s(%v), must be %s", option, value, what))
	}
}

func mustNotBeNil(option string, isNil bool) {
	if isNil {
		panic("secrets: " + option + " of a nil function")
	}
}
