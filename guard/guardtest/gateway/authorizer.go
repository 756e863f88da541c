package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// Authorizer is a Lambda authorizer of an HTTP API, before all of its routes.
//
//   - A request without one of the identity sources, or with an empty one, is
//     answered 401 and the function is not called.
//   - The function's answer is kept for the TTL under the values of the identity
//     sources and nothing else: a simple response then holds for every route, a
//     policy is evaluated for each. A denial is kept as well, an error is not.
//     Requests that come before the first answer do not wait for it: all ask.
//   - A denial is 403. The error whose text is exactly "Unauthorized" is 401. Any
//     other error, no answer in time, and an answer out of form are 500.
//   - The answer's context goes to the API's function: as
//     requestContext.authorizer.lambda in format 2.0, null when there is none, and
//     as requestContext.authorizer in 1.0, with the principalId of a policy.
//   - A string in the context that is itself a JSON object or array passes when
//     the authorizer returns it and is 500 from the cache, as in API Gateway.
//
// A policy is evaluated as IAM does it, from Effect, Action and Resource. An
// answer with anything else that could change the outcome, Condition, NotAction,
// NotResource or a policy variable, is not emulated and therefore 500.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
type Authorizer struct {
	// Function is the authorizer.
	Function guardtest.Invoker

	// IdentitySources are selection expressions: "$request.header.NAME",
	// "$request.querystring.NAME", "$context.NAME", "$stageVariables.NAME". With
	// none every request is put to the function.
	IdentitySources []string

	// TTL is how long an answer is kept, in whole seconds up to an hour; 0 is not
	// at all. It needs an identity source.
	TTL time.Duration

	// Format of the event and the answer: "2.0", also when empty, or "1.0".
	Format string

	// SimpleResponses expects {"isAuthorized":…} instead of a policy; format 2.0 only.
	SimpleResponses bool

	// Timeout for the function; 10 seconds when 0, which is what API Gateway
	// allows. It counts while a request waits for a free process, too.
	Timeout time.Duration

	// Failed, when not nil, is told of every request that was answered 500 for
	// the authorizer's sake, and why. The id is that of the authorizer's
	// invocation, or of the request when it did not come to one.
	Failed func(requestID string, err error)

	// Now is the cache's clock; [time.Now] when nil. Requests ask it concurrently.
	Now func() time.Time
}

func newLambdaGate(a Authorizer) (*lambdaGate, error) {
	a.Format = cmp.Or(a.Format, "2.0")
	switch {
	case a.Format != "1.0" && a.Format != "2.0":
		return nil, fmt.Errorf("gateway: an authorizer's payload format %q is neither 1.0 nor 2.0", a.Format)
	case a.SimpleResponses && a.Format != "2.0":
		return nil, errors.New("gateway: simple responses are of format 2.0")
	}
	sources, err := event.HTTPAPISources.Parse(a.IdentitySources)
	if err != nil {
		return nil, err
	}
	g := &lambdaGate{
		fn: a.Function, timeout: a.Timeout, failed: a.Failed,
		sources: sources, required: true,
		event: event.Authorizer2, parse: parsePolicyAnswer,
		ttl: a.TTL, now: a.Now, recall: checkKeptContext,
	}
	if a.Format == "1.0" {
		g.event = event.Authorizer1
	}
	if a.SimpleResponses {
		g.parse = parseSimple
	}
	return g, g.check()
}

// refusedStatus is the status of a request that may not pass.
func refusedStatus(err error) int {
	switch {
	case errors.Is(err, errUnauthorized):
		return http.StatusUnauthorized
	case errors.Is(err, errDenied), errors.Is(err, errDeniedExplicitly):
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
}
