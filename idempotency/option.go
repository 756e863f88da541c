package idempotency

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Option changes [Once] or an [Operation].
type Option struct{ apply func(*config) }

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
	reconcile       func(context.Context, Unfinished) (answer []byte, done bool, err error)
	scope           func(context.Context, *guard.Event) (string, error)
	fingerprint     func(context.Context, *guard.Event) (string, error)
	keyFrom         KeyFunc // of an Operation
	keep            func(status int, answer []byte) bool
	onReplay        func(context.Context, Record, http.Header)
	onStoreError    func(context.Context, Record, error)
	allowMissingKey bool
	local           *localReplays
}

const (
	defaultTTL  = 24 * time.Hour
	defaultSkew = 2 * time.Second
	// maxInvocation is Lambda's limit on the time of an invocation.
	maxInvocation = 15 * time.Minute
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
		opt.apply(c)
	}
	return c
}

// TTL sets how long a completed request is replayed. The default is 24 hours;
// after that the key runs again. An abandoned attempt is forgotten after the same
// time, also with [Refuse].
func TTL(d time.Duration) Option {
	mustBe("TTL", d >= time.Second, "at least a second", d)
	return Option{func(c *config) { c.ttl = d }}
}

// Skew sets how long a lease lasts beyond the deadline of the invocation, to
// allow for clocks that differ and for a function that is stopped late. The
// default is 2 seconds.
func Skew(d time.Duration) Option {
	mustBe("Skew", d >= 0, "not negative", d)
	return Option{func(c *config) { c.skew = d }}
}

// Lease sets how long a lease lasts at least, for effects that go on after the
// invocation has ended, as payments do. Without a deadline a lease lasts d instead
// of 15 minutes, the longest invocation.
func Lease(d time.Duration) Option {
	mustBe("Lease", d > 0, "positive", d)
	return Option{func(c *config) { c.lease = d }}
}

// Wait sets how long a request waits for its key while another attempt holds it,
// within its own deadline. The default is to fail at once. Each try costs a write.
func Wait(d time.Duration) Option {
	mustBe("Wait", d > 0, "positive", d)
	return Option{func(c *config) { c.wait = d }}
}

// Name sets the operation that a key belongs to. The default is the route. With
// a name, the same key on two routes, or on two spellings of a path, is the same
// key. Path, method and query stay part of the fingerprint.
func Name(operation string) Option {
	if operation == "" {
		panic("idempotency: an empty Name")
	}
	return Option{func(c *config) { c.name = operation }}
}

// Scope sets the owner of a key. Callers with different scopes never share a
// record. An empty scope is an error. In an [Operation] the event is nil.
//
// The default is the caller that the gateway has authenticated: a user, or an
// application with an API key or a certificate. If the event names no user, a
// hash of Authorization and Cookie is added. A client that renews those is then
// another caller, and needs a Scope.
func Scope(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Scope", of == nil)
	return Option{func(c *config) { c.scope = of }}
}

// KeyFrom derives the key of [Do] from its input. The key argument of Do must then
// be "". The key function gets the input as JSON, as if it were the event of
// [Once]:
//
//	idempotency.NewOperation("charge", store,
//		idempotency.KeyFrom(jmespath.Key("[customer, order]")))
//
// [Once] ignores KeyFrom.
func KeyFrom(key KeyFunc) Option {
	mustNotBeNil("KeyFrom", key == nil)
	return Option{func(c *config) { c.keyFrom = key }}
}

// Fingerprint sets the text that must be equal in a repeat. A hash of the returned
// text is stored; with "" nothing is compared. An [Operation] ignores it and
// compares its input.
//
// The default is the content of the event, with JSON in its canonical form (RFC
// 8785, whole numbers exact):
//
//   - the method, path, query and body of an HTTP request;
//   - the bodies and attributes of SQS messages, SNS notifications, an EventBridge
//     event, the data of Kinesis, Kafka and MQ records, the change in a DynamoDB
//     stream. Ids, times and counters are left out, so that a message that is
//     published again is a repeat. This includes a notification or an event in
//     the body of a message;
//   - the field that AppSync resolves, its arguments and its source;
//   - the whole of any other event.
func Fingerprint(of func(ctx context.Context, ev *guard.Event) (string, error)) Option {
	mustNotBeNil("Fingerprint", of == nil)
	return Option{func(c *config) { c.fingerprint = of }}
}

// StoreWhen sets which answers are stored and replayed. The default is [Keep]. All
// others release the key, so that the next try runs. An error whose kind is a
// client error counts as its answer if an outer layer answers it. Status is the HTTP status:
// 502 for a malformed response, 0 for events that are not HTTP.
func StoreWhen(keep func(status int, answer []byte) bool) Option {
	mustNotBeNil("StoreWhen", keep == nil)
	return Option{func(c *config) { c.keep = keep }}
}

// LocalReplays keeps the last n completed records of at most 64 KiB in this
// process. A repeat that reaches it again then needs no request to the store,
// which may charge a replay by its size. Fingerprint and expiry are checked as
// always. A record that is deleted from the store by hand is replayed until it
// expires here. [Once] drops the records after a restore from a snapshot.
func LocalReplays(n int) Option {
	mustBe("LocalReplays", n > 0, "positive", n)
	return Option{func(c *config) { c.local = &localReplays{limit: n, byKey: make(map[string]*localReplay)} }}
}

// OnReplay sets a function that is called for each replay. The headers that it sets
// are added to a replayed HTTP answer and replace headers of the same name:
//
//	idempotency.OnReplay(func(_ context.Context, _ idempotency.Record, header http.Header) {
//		header.Set("X-Replayed-By", "orders")
//	})
//
// Set-Cookie and headers that HTTP does not allow are left out. Other answers
// ignore header.
func OnReplay(fn func(ctx context.Context, replayed Record, header http.Header)) Option {
	mustNotBeNil("OnReplay", fn == nil)
	return Option{func(c *config) { c.onReplay = fn }}
}

// OnStoreError sets a function that is called if an attempt could not be completed
// or released. It is also called if a result is too large for the store or cannot
// be encoded. The caller gets its answer all the same, unless the lease has ended
// or writes were staged. The error is also logged by [guard.Log], as
// idempotencyError.
func OnStoreError(fn func(ctx context.Context, attempt Record, err error)) Option {
	mustNotBeNil("OnStoreError", fn == nil)
	return Option{func(c *config) { c.onStoreError = fn }}
}

// AllowMissingKey lets a request without a key run unprotected: as often as it
// comes, and without [Transactor], so that it cannot stage writes. Use it for an
// API whose older clients send no key yet. A malformed key is still refused.
func AllowMissingKey() Option {
	return Option{func(c *config) { c.allowMissingKey = true }}
}

func mustBe(option string, ok bool, what string, value any) {
	if !ok {
		panic(fmt.Sprintf("idempotency: %s(%v), must be %s", option, value, what))
	}
}

func mustNotBeNil(option string, isNil bool) {
	if isNil {
		panic("idempotency: " + option + " with a nil function")
	}
}
