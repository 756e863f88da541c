package idempotency

import (
	"context"
	"fmt"
	"net/http"
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

	timeout         TimeoutPolicy
	scope           func(context.Context, *guard.Event) (string, error)
	fingerprint     func(context.Context, *guard.Event) (string, error)
	keyFrom         KeyFunc // of an Operation
	keep            func(status int, answer []byte) bool
	onReplay        func(context.Context, Record, http.Header)
	onStoreError    func(context.Context, Record, error)
	allowMissingKey bool
	local           *localReplays

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
// late.
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
// client that renews them repeats nothing, and wants a Scope. Two callers with
// different scopes never share a record. A scope of "" is an error, as a missing
// part of a key is. In an [Operation] the event is nil.
func Scope(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Scope", of == nil)
	return func(c *config) { c.scope = of }
}

// KeyFrom has [Do] make the key of its input, in the place of the key that it is
// given, which has to be "". The input is read as JSON, as if it were the event
// of [Once]:
//
//	idempotency.NewOperation("charge", store,
//		idempotency.KeyFrom(jmespath.Key("[customer, order]")))
//
// Package powertools has keys for an operation that shares its records with
// Python. [Once] ignores it.
func KeyFrom(key KeyFunc) Option {
	mustNotBeNil("KeyFrom", key == nil)
	return func(c *config) { c.keyFrom = key }
}

// Fingerprint says what has to be equal for a request to be a repeat. What of
// returns is hashed; "" takes no fingerprint. An [Operation] does not call it:
// its input is what has to be equal.
//
// The default is the content of the event, JSON in its canonical form (RFC 8785,
// whole numbers exact):
//
//   - the method, path, query and body of an HTTP request;
//   - the bodies and attributes of SQS messages, the notifications of SNS, an
//     event of EventBridge, the data of Kinesis, Kafka and MQ records, the change
//     in a DynamoDB stream, all without ids, times and counters, so that what is
//     published again is a repeat. That includes a notification or an event in
//     the body of a message;
//   - the field that AppSync resolves, its arguments and its source;
//   - the whole of any other event.
func Fingerprint(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Fingerprint", of == nil)
	return func(c *config) { c.fingerprint = of }
}

// StoreWhen says which answers are kept and replayed, in the place of [Keep].
// Of an HTTP request that includes errors of a caller's fault, as they are
// answered, where a layer further out answers them. All others are released,
// so that the next try runs. Status is the HTTP status: 502 for a malformed
// response, 0 for events that are not HTTP.
func StoreWhen(keep func(status int, answer []byte) bool) Option {
	mustNotBeNil("StoreWhen", keep == nil)
	return func(c *config) { c.keep = keep }
}

// LocalReplays keeps up to n completed records of at most 64 KiB in this
// process, so that a repeat that reaches it again costs no request to the
// store, which may charge a replay by its size. Their fingerprint and expiry are judged as ever. A record that is
// deleted from the store by hand is replayed until it expires here.
func LocalReplays(n int) Option {
	mustBe("LocalReplays", n > 0, "positive", n)
	return func(c *config) { c.local = newLocalReplays(n) }
}

// OnReplay is called for each replay, with the record that is replayed. What fn
// puts into header is added to a replayed HTTP answer, in the place of headers of
// the same name:
//
//	idempotency.OnReplay(func(_ context.Context, _ idempotency.Record, header http.Header) {
//		header.Set("X-Replayed-By", "orders")
//	})
//
// Set-Cookie is left out, and so is what HTTP does not allow in a header. Where
// there is no HTTP answer header has no effect.
func OnReplay(fn func(ctx context.Context, replayed Record, header http.Header)) Option {
	mustNotBeNil("OnReplay", fn == nil)
	return func(c *config) { c.onReplay = fn }
}

// OnStoreError is called when a record is not as it should be: an attempt could
// not be completed or released, its result is too large for the store, or its
// result cannot be encoded. The caller gets its answer all the same, unless the
// lease is over or writes were staged. The error is also in the record of the
// invocation, as idempotencyError, in the words that [guard.Log] has for one.
func OnStoreError(fn func(ctx context.Context, attempt Record, err error)) Option {
	mustNotBeNil("OnStoreError", fn == nil)
	return func(c *config) { c.onStoreError = fn }
}

// AllowMissingKey lets a request without a key run unprotected: as often as it
// comes, and outside any transaction, so that it cannot stage writes. It is meant
// for an API whose older clients send no key yet. A malformed key is refused all
// the same.
func AllowMissingKey() Option {
	return func(c *config) { c.allowMissingKey = true }
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
