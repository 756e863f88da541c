package secrets

import (
	"context"
	"fmt"
	"time"
)

// Option configures [New].
type Option func(*Cache)

const aYear = 365 * 24 * time.Hour

// TTL sets how long a value is served without asking the source again. The
// default is 5 minutes, the maximum a year. It ends earlier where the source
// knows when a value will be replaced, see [Value].
func TTL(d time.Duration) Option {
	check("TTL", d > 0 && d <= aYear, "positive and at most a year", d)
	return func(c *Cache) { c.ttl = d }
}

// MaxStale sets how long after its TTL a value is still served while the source
// cannot be asked. The default is 15 minutes, the maximum a year. With 0 no
// stale value is served.
func MaxStale(d time.Duration) Option {
	check("MaxStale", d >= 0 && d <= aYear, "not negative and at most a year", d)
	return func(c *Cache) { c.maxStale = d }
}

// NegativeTTL sets how long the source is not asked again for a value that it
// has denied. The default is 5 s, the maximum a year. With 0 every Get asks.
func NegativeTTL(d time.Duration) Option {
	check("NegativeTTL", d >= 0 && d <= aYear, "not negative and at most a year", d)
	return func(c *Cache) { c.negativeTTL = d }
}

// FetchTimeout sets how long one fetch may take. The default is 2 s. If a source
// has some of several values by then, those are taken.
func FetchTimeout(d time.Duration) Option {
	check("FetchTimeout", d > 0 && d <= aYear, "positive and at most a year", d)
	return func(c *Cache) { c.fetchTimeout = d }
}

// Jitter sets by which fraction TTL and backoff vary, so that processes which
// started together do not all ask at once. The default is 0.1.
func Jitter(fraction float64) Option {
	check("Jitter", fraction >= 0 && fraction < 1, "at least 0 and less than 1", fraction)
	return func(c *Cache) { c.jitter = fraction }
}

// MaxEntries sets how many values and errors are kept. The default is 1000. The
// least recently used one is dropped; use is not ordered between two fetches.
func MaxEntries(n int) Option {
	check("MaxEntries", n > 0, "positive", n)
	return func(c *Cache) { c.maxEntries = n }
}

// FetchReport describes a fetch to [OnFetch].
type FetchReport struct {
	Ref     Ref
	Version string        // of the value; "" with an error
	Began   time.Time     // by the wall clock; the same for all values of one call of the source
	Took    time.Duration // by the monotonic clock
	Err     error         // why there is no value
}

// OnFetch sets a function that is called for each value after its fetch, also if
// the fetch failed, and before the callers that wait for it return. It must be
// fast. It gets the context of the call that began the fetch, without its
// cancellation. It may use the cache. If it panics, those callers get an error.
func OnFetch(fn func(ctx context.Context, f FetchReport)) Option {
	checkFunc("OnFetch", fn == nil)
	return func(c *Cache) { c.onFetch = fn }
}

// StaleReport describes a stale value to [OnStale].
type StaleReport struct {
	Ref     Ref
	Version string
	Age     time.Duration // since the fetch, by the wall clock
	Err     error         // why the source could not be asked; nil while another call asks it
}

// OnStale sets a function that is called whenever a value past its TTL is
// served, with the context of the caller. It may use the cache, and is not called
// for its own calls of the cache. The record of the invocation names the secret as
// staleSecret in any case.
func OnStale(fn func(ctx context.Context, s StaleReport)) Option {
	checkFunc("OnStale", fn == nil)
	return func(c *Cache) { c.onStale = fn }
}

// Previous sets where [Cache.Pair] finds the previous value of a name. The
// default is its stage AWSPREVIOUS. For a parameter it may be a label, for a
// file or a variable another name:
//
//	secrets.Previous(func(name string) secrets.Ref {
//		return secrets.Ref{Name: name + "_PREVIOUS"}
//	})
func Previous(of func(name string) Ref) Option {
	checkFunc("Previous", of == nil)
	return func(c *Cache) { c.previous = of }
}

// Clock sets a clock for tests. The default is time.Now.
func Clock(now func() time.Time) Option {
	checkFunc("Clock", now == nil)
	return func(c *Cache) { c.clock = now }
}

func check(option string, ok bool, want string, value any) {
	if !ok {
		panic(fmt.Sprintf("secrets: %s(%v) must be %s", option, value, want))
	}
}

func checkFunc(option string, isNil bool) {
	if isNil {
		panic("secrets: " + option + " of a nil function")
	}
}

// GetOption selects for [Cache.Get] the version of a value, or a new fetch.
type GetOption struct {
	field getField
	text  string
}

type getField uint8

const (
	stageField getField = iota + 1
	versionField
	decryptedField
	encryptedField
	refreshed
)

// VersionStage selects the version with a staging label, like AWSPREVIOUS, or
// with a parameter's label. "" is the source's default.
func VersionStage(stage string) GetOption { return GetOption{stageField, stage} }

// VersionID selects one version by its id or number.
func VersionID(id string) GetOption { return GetOption{versionField, id} }

// Decrypt with false selects the value as it is stored, if the source knows the
// difference. The default is true.
func Decrypt(yes bool) GetOption {
	if yes {
		return GetOption{field: decryptedField}
	}
	return GetOption{field: encryptedField}
}

// Refresh makes Get ask the source even if the value is fresh. Calls at the same
// time share a fetch. If it fails, Get returns the error and no old value; other
// calls still get that. During the backoff after a failure Get does not ask, and
// returns its error. To replace a value that was rejected, use [Try]: unlike
// Refresh, it trusts no fetch that was under way at that moment.
func Refresh() GetOption { return GetOption{field: refreshed} }

func (o GetOption) apply(ref *Ref) {
	switch o.field {
	case stageField:
		ref.Stage = o.text
	case versionField:
		ref.Version = o.text
	case decryptedField, encryptedField:
		ref.Encrypted = o.field == encryptedField
	}
}
