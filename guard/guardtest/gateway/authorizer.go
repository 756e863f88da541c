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
//   - A request that lacks an identity source is answered 401. The authorizer is
//     not called.
//   - An answer is kept for the TTL under the values of the identity sources alone.
//     A simple response then holds for every route. A policy is evaluated for each
//     request. Denials are kept, errors are not. Requests that arrive before the
//     first answer do not wait for it: each calls the authorizer.
//   - A denial is 403, the error "Unauthorized" is 401. Any other error is 500, and
//     so is no answer in time or an answer out of form.
//   - The function finds the answer's context in requestContext.authorizer.lambda in
//     format 2.0, and in requestContext.authorizer in 1.0, beside the principalId.
//   - A string in the context that is itself a JSON object or array passes when the
//     authorizer returns it. From the cache it is 500, as in API Gateway.
//
// A policy is evaluated from Effect, Action and Resource, as IAM does. Condition,
// NotAction, NotResource and policy variables are not emulated: they are 500.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
type Authorizer struct {
	// Function is the authorizer.
	Function guardtest.Invoker

	// IdentitySources are selection expressions: "$request.header.NAME",
	// "$request.querystring.NAME", "$context.NAME", "$stageVariables.NAME". With
	// none, every request reaches the authorizer.
	IdentitySources []string

	// TTL is how long an answer is kept, in whole seconds up to an hour. 0 keeps
	// none. It needs an identity source.
	TTL time.Duration

	// Format of the event and the answer: "2.0", also when empty, or "1.0".
	Format string

	// SimpleResponses expects {"isAuthorized":…} instead of a policy; format 2.0 only.
	SimpleResponses bool

	// Timeout for the function; 10 seconds when 0, which is API Gateway's limit. It
	// includes the wait for a free process.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that was answered 500
	// because of the authorizer. The id is of the authorizer's invocation, or of the
	// request when there was none.
	Failed func(requestID string, err error)

	// Now is the cache's clock; [time.Now] when nil. It is called concurrently.
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
