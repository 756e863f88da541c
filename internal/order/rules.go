// Package order has the rules for the order of layers in a chain.
package order

import (
	"cmp"
	"fmt"
)

// Rule is a rule for two layers of a chain, or for a layer and the handler.
type Rule struct {
	Outer  string // the layer that must not stand outside, "idempotency.Once"
	Inner  string // of this one
	Why    string // what happens if it does
	Unsafe bool   // the chain is refused; otherwise a warning is logged

	advice string // in place of "list Inner before Outer"
	unless string // a layer that makes it right, outside of Inner
}

// Advice returns how to mend the order.
func (r Rule) Advice() string {
	return cmp.Or(r.advice, "list "+r.Inner+" before "+r.Outer)
}

// String returns the fault and the advice.
func (r Rule) String() string {
	return fmt.Sprintf("%s stands outside %s: %s; %s", r.Outer, r.Inner, r.Why, r.Advice())
}

// HTTPHandler is the name of the handlers of package httpapi.
const HTTPHandler = "httpapi.Func, Routes, Handler, Serve"

// BatchHandler is the name of the handlers of package batch.
const BatchHandler = "batch.SQS, Kinesis, DynamoDB, Kafka"

// Rules returns the rules that are checked when a chain is built. A third party's
// layer hides the layers inside it. Their order is checked at the first invocation
// instead: see layer.SealPrincipal.
func Rules() []Rule { return rules[:] }

var rules = [...]Rule{
	{Inner: "authorizer.Require", Outer: "idempotency.Once", Why: "a stored answer would go to any caller who sends its key", Unsafe: true},
	{Inner: "authorizer.FromGateway", Outer: "idempotency.Once", Why: "a stored answer would go to any caller who sends its key", Unsafe: true},
	{Inner: "webhook.Require", Outer: "idempotency.Once", Why: "a stored answer would go to any caller who sends its key", Unsafe: true},
	{Inner: "authorizer.Require", Outer: "quota.Principal", Why: "it would not know who calls", Unsafe: true},
	{Inner: "authorizer.FromGateway", Outer: "quota.Principal", Why: "it would not know who calls", Unsafe: true},
	{Inner: "origin.Require", Outer: "idempotency.Once", Why: "a stored answer would go to callers from elsewhere", Unsafe: true},
	{Inner: "authorizer.Require", Outer: "origin.TenantClaim", Why: "there would be no grant to compare the tenant with", Unsafe: true},
	{Inner: "authorizer.FromGateway", Outer: "origin.TenantClaim", Why: "there would be no grant to compare the tenant with", Unsafe: true},
	{
		Outer: "guard.Errors", Inner: HTTPHandler, Why: "an HTTP client would get a 502 for every error",
		advice: "use httpapi.Default, or httpapi.Problems in its place", Unsafe: true, unless: "httpapi.Problems",
	},
	{
		Outer: "idempotency.Once", Inner: BatchHandler, Why: "a batch hardly comes again as it was, and its records would run again",
		advice: "use idempotency.Records for each record", Unsafe: true,
	},
	{
		Outer: "httpapi.Problems", Inner: BatchHandler, Why: "an error would become a response, and Lambda would take every record for done",
		advice: "use guard.Default", Unsafe: true,
	},
	{
		Outer: "async.DeadLetter", Inner: BatchHandler, Why: "a batch answers for each record, and nothing would go to the sink",
		advice: "use batch.DeadLetters", Unsafe: true,
	},
	{
		Outer: "async.DeadLetter", Inner: HTTPHandler, Why: "a client has to get the error, and nothing would go to the sink",
		advice: "leave it out", Unsafe: true,
	},
	{Inner: "async.DeadLetter", Outer: "idempotency.Once", Why: "an event that the sink has would count as done, and would not run when it is run again", Unsafe: true},
	{Inner: "guard.Errors", Outer: "async.DeadLetter", Why: "an error would have lost its kind, and nothing would go to the sink", Unsafe: true},
	{Inner: "otel.Flush", Outer: "otel.Trace", Why: "the span of an invocation would be sent with the next one, or never", Unsafe: true},
	{
		Outer: "idempotency.Once", Inner: "idempotency.Once", Why: "a key would be in progress by itself",
		advice: "list it once",
	},
	{Inner: "validate.Body", Outer: "idempotency.Once", Why: "a request of the wrong form would use up its key"},
	{Inner: "validate.Event", Outer: "idempotency.Once", Why: "a request of the wrong form would use up its key"},
	{Inner: "validate.Parameters", Outer: "idempotency.Once", Why: "a request of the wrong form would use up its key"},
	{Inner: "httpapi.Problems", Outer: "idempotency.Once", Why: "its own errors would leave the chain as errors of the function"},
	{Inner: "guard.Errors", Outer: "idempotency.Once", Why: "its own errors would leave the chain with their texts"},
	{Inner: "httpapi.Problems", Outer: "authorizer.Require", Why: "a denial would leave the chain as an error of the function"},
	{Inner: "httpapi.CORS", Outer: "authorizer.Require", Why: "a preflight carries no credentials and would be denied"},
	{Inner: "httpapi.CORS", Outer: "authorizer.FromGateway", Why: "a preflight carries no credentials and would be denied"},
	{Inner: "guard.Log", Outer: "guard.Recover", Why: "the record of a panic would not say what became of it"},
	{Inner: "httpapi.Problems", Outer: "guard.Recover", Why: "a panic would leave the chain as an error of the function"},
	{Inner: "guard.Errors", Outer: "guard.Recover", Why: "a panic would leave the chain with its text"},
	{Inner: "guard.Recover", Outer: "guard.Limit", Why: "a panic while it reads would end the process"},
	{Inner: "guard.Recover", Outer: "authorizer.Require", Why: "a panic of the check would end the process"},
	{Inner: "guard.Log", Outer: "idempotency.Once", Why: "the record would not have the replay"},
	{Inner: "guard.Log", Outer: "httpapi.Problems", Why: "the record would not have the answer"},
	{Inner: "guard.Log", Outer: "guard.Errors", Why: "the record would not have the error that is reported"},
	{Inner: "guard.Log", Outer: "guard.Deadline", Why: "there would be no time left to write the record"},
	{Inner: "httpapi.Problems", Outer: "guard.Deadline", Why: "there would be no time left to answer"},
	{Inner: "guard.Log", Outer: "origin.Require", Why: "a refusal would not be recorded"},
	{Inner: "httpapi.Problems", Outer: "origin.Require", Why: "a refusal would leave the chain as an error of the function"},
	{Inner: "guard.Errors", Outer: "origin.Require", Why: "a refusal would leave the chain with its text"},
	{Inner: "guard.Limit", Outer: "origin.Require", Why: "an event would be read before it is known to be small enough"},
	{
		Outer: "recursion.Limit", Inner: BatchHandler, Why: "one record that has come too far would refuse the whole batch",
		advice: "use recursion.Records for each record",
	},
	{Inner: "async.DeadLetter", Outer: "recursion.Limit", Why: "an event that has come too far would not go to the sink"},
	{Inner: "guard.Log", Outer: "recursion.Limit", Why: "a refusal would not be recorded"},
	{Inner: "httpapi.Problems", Outer: "recursion.Limit", Why: "a refusal would leave the chain as an error of the function"},
	{Inner: "guard.Errors", Outer: "recursion.Limit", Why: "a refusal would leave the chain with its text"},
	{Inner: "guard.Limit", Outer: "recursion.Limit", Why: "an event would be read before it is known to be small enough"},
	{Inner: "guard.Limit", Outer: "validate.Body", Why: "a body would be read before it is known to be small enough"},
	{Inner: "guard.Limit", Outer: "authorizer.Require", Why: "a request would be read before it is known to be small enough"},
	{Inner: "guard.Limit", Outer: "idempotency.Once", Why: "a request would be read before it is known to be small enough"},
	{Inner: "origin.Require", Outer: "quota.Limit", Why: "requests from elsewhere would use up a quota"},
	{Inner: "quota.Limit", Outer: "idempotency.Once", Why: "a replay would not count"},
	{Inner: "httpapi.Problems", Outer: "quota.Limit", Why: "a refusal would leave the chain as an error of the function"},
	{Inner: "httpapi.CORS", Outer: "quota.Limit", Why: "a preflight would count, and a page could not read a refusal"},
	{Inner: "guard.Log", Outer: "quota.Limit", Why: "the record would not have the refusal"},
	{Inner: "guard.Recover", Outer: "quota.Limit", Why: "a panic of a key's function would end the process"},
	{Inner: "guard.Limit", Outer: "quota.Limit", Why: "a request would be read before it is known to be small enough"},
	{Inner: "metrics.Default", Outer: "httpapi.Problems", Why: "what the layers between refuse would not be counted"},
	{Inner: "metrics.Default", Outer: "guard.Errors", Why: "what the layers between refuse would not be counted"},
	{Inner: "metrics.Default", Outer: "guard.Recover", Why: "a panic of the layers between would not be counted"},
	{Inner: "metrics.Default", Outer: "guard.Limit", Why: "an event that is too large would not be counted"},
	{Inner: "otel.Flush", Outer: "metrics.Default", Why: "the time of the flush would count, and what goes to OpenTelemetry would be sent with the next invocation"},
	{Inner: "otel.Trace", Outer: "httpapi.Problems", Why: "the span would not have the answer"},
	{Inner: "otel.Trace", Outer: "guard.Errors", Why: "a refusal further out would have no span"},
	{Inner: "otel.Trace", Outer: "guard.Recover", Why: "the span would not have what became of a panic"},
	{Inner: "xray.Trace", Outer: "httpapi.Problems", Why: "the trace would not have the answer"},
	{Inner: "xray.Trace", Outer: "guard.Errors", Why: "the trace would not have the error that is reported"},
	{Inner: "xray.Trace", Outer: "guard.Recover", Why: "the trace would not say what became of a panic"},
	{Outer: "xray.Trace", Inner: "xray.Trace", Why: "the invocation would be recorded twice", advice: "list it once"},
}
