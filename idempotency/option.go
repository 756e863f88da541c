package idempotency

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Option changes [Once], or an [Operation].
type Option func(*config)

// config is what the calls of one Once or Operation have in common.
type config struct {
	store      Store
	transactor Transactor // the store, if it is one
	function   string     // the name of the Lambda function
	name       string     // of the operation; "" is the route

	ttl   time.Duration
	lease time.Duration
	skew  time.Duration
	wait  time.Duration

	timeout     TimeoutPolicy
	scope       func(context.Context, *guard.Event) (string, error)
	fingerprint func(context.Context, *guard.Event) (string, error)
	validation  func(*guard.Event) (string, error) // in the place of the fingerprint, see PowertoolsValidation
	keep        func(status int, answer []byte) bool
	onReplay    func(context.Context, Record)
	onUnsaved   func(context.Context, Record, error)
	runKeyless  bool
	local       *localReplays

	scratches sync.Pool // of *scratch
}

const (
	defaultTTL  = 24 * time.Hour
	defaultSkew = 2 * time.Second
	// longest is how long Lambda lets an invocation take.
	longest = 15 * time.Minute
)

func newConfig(store Store, opts []Option) *config {
	if store == nil {
		panic("idempotency: a nil Store")
	}
	c := &config{
		store: store, function: lambdacontext.FunctionName,
		ttl: defaultTTL, skew: defaultSkew, timeout: Rerun, keep: Keep,
	}
	c.transactor, _ = store.(Transactor)
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// TTL sets for how long a completed request is replayed, 24 hours when it is
// not set. After that the same key runs again. An attempt that is abandoned is
// forgotten after as long, whatever [AfterTimeout] says.
func TTL(d time.Duration) Option {
	mustBe("TTL", d >= time.Second, "at least a second", d)
	return func(c *config) { c.ttl = d }
}

// Skew sets what a lease lasts beyond the deadline of the invocation, 2 s when
// it is not set: for clocks that differ, and for a function that is stopped
// late. Add to it what [guard.Deadline] keeps in reserve where that is more
// than a second.
func Skew(d time.Duration) Option {
	mustBe("Skew", d >= 0, "not negative", d)
	return func(c *config) { c.skew = d }
}

// Lease makes a lease last at least d, for effects that go on after the
// invocation has ended, as a payment does. Without a deadline d is the lease
// itself, in the place of 15 minutes, the longest invocation there is.
func Lease(d time.Duration) Option {
	mustBe("Lease", d > 0, "positive", d)
	return func(c *config) { c.lease = d }
}

// Wait lets a request whose key is being worked on wait up to d for the
// outcome, as far as its own deadline allows, instead of failing at once. Each
// look costs a write.
func Wait(d time.Duration) Option {
	mustBe("Wait", d > 0, "positive", d)
	return func(c *config) { c.wait = d }
}

// Name names the operation in the place of the route, so that the same key on
// two routes, or on two spellings of a path, is the same key. Path, method and
// query stay part of the fingerprint.
func Name(operation string) Option {
	if operation == "" {
		panic("idempotency: an empty Name")
	}
	return func(c *config) { c.name = operation }
}

// Scope says whose key it is, in the place of the caller that the event tells.
// That is a user, or an application with an API key or a certificate. Where the
// event says of no user, a hash of Authorization and Cookie goes with it: a
// client that renews them repeats nothing, and wants a Scope.
// Two scopes never meet. A scope of "" is an error, as a missing part of a key
// is. In an [Operation] the event is nil.
func Scope(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Scope", of == nil)
	return func(c *config) { c.scope = of }
}

// Fingerprint says what has to be equal for a request to be a repeat, in the
// place of the default: the method, the path, the query and the body of an HTTP
// request, the bodies and attributes of SQS messages, the field, arguments and
// object of AppSync, the whole of any other event; JSON in its canonical form (RFC 8785, whole numbers exact). What of
// returns is hashed; "" takes no fingerprint. An [Operation] does not call it:
// its input is what has to be equal.
func Fingerprint(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Fingerprint", of == nil)
	return func(c *config) { c.fingerprint = of }
}

// StoreWhen says which answers are kept and replayed, in the place of [Keep].
// Of an HTTP request that includes errors of a caller's fault, as they are
// answered, where a layer further out answers them. All others are released,
// so that the next try runs. Status is the HTTP status, 502 of what the gateway
// does not take for an answer, and 0 where there is none.
func StoreWhen(keep func(status int, answer []byte) bool) Option {
	mustNotBeNil("StoreWhen", keep == nil)
	return func(c *config) { c.keep = keep }
}

// LocalReplays keeps up to n completed records of at most 64 KiB in this
// process, so that a repeat that reaches it again costs no request to the
// store. Their fingerprint and expiry are judged as ever. A record that is
// deleted from the store by hand is replayed until it expires here.
func LocalReplays(n int) Option {
	mustBe("LocalReplays", n > 0, "positive", n)
	return func(c *config) { c.local = newLocalReplays(n) }
}

// OnReplay is called for each replay, with the record that is replayed.
func OnReplay(fn func(ctx context.Context, replayed Record)) Option {
	mustNotBeNil("OnReplay", fn == nil)
	return func(c *config) { c.onReplay = fn }
}

// OnUnsaved is called when an attempt could not be completed or released: the
// caller gets its answer all the same, and the key is held until its lease is
// over. With staged writes it gets idempotency_commit_unknown instead. The error
// is also in the record of the invocation, as idempotencyError.
func OnUnsaved(fn func(ctx context.Context, attempt Record, err error)) Option {
	mustNotBeNil("OnUnsaved", fn == nil)
	return func(c *config) { c.onUnsaved = fn }
}

// MissingKeyRuns lets a request without a key run, unprotected: as often as it
// comes, and outside of any transaction, so that it stages no writes. A malformed
// key is refused all the same.
func MissingKeyRuns() Option {
	return func(c *config) { c.runKeyless = true }
}

func mustBe(option string, ok bool, what string, value any) {
	if !ok {
		panic(fmt.Sprintf("idempotency: %s(%v), must be %s", option, value, what))
	}
}

func mustNotBeNil(option string, isNil bool) {
	if isNil {
		panic("idempotency: " + option + " of a nil function")
	}
}
