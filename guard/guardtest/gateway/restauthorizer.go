package gateway

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

// RESTAuthorizer is a Lambda authorizer of a REST API, before all of its methods.
// It answers with a policy, which is evaluated like the policy of an [Authorizer],
// for each request anew when it comes from the cache.
//
//   - A token that is missing, empty or does not match TokenValidation is 401. The
//     authorizer is not called. While answers are kept, the same holds for a request
//     that lacks an identity source; without a cache it reaches the authorizer.
//   - A request that the policy denies or does not allow is 403, with a message for
//     each case. The error "Unauthorized" is 401. Any other error is 500 with the
//     message null, and so is no answer in time, an answer out of form, or an object
//     or array in the context.
//   - The function finds the context in requestContext.authorizer, all values as
//     strings. Beside them are principalId and integrationLatency, the milliseconds
//     of the authorizer's call, 0 for an answer from the cache.
//   - A usageIdentifierKey is accepted. There are no usage plans.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
type RESTAuthorizer struct {
	// Function is the authorizer.
	Function guardtest.Invoker

	// Type is "TOKEN", also when empty, or "REQUEST".
	Type string

	// IdentitySources are mapping expressions: "method.request.header.NAME",
	// "method.request.querystring.NAME", "context.NAME", "stageVariables.NAME". For
	// type TOKEN it is one header, "method.request.header.Authorization" when empty.
	IdentitySources []string

	// TokenValidation is a regular expression that the whole token has to match;
	// none when empty. For type TOKEN only.
	TokenValidation string

	// TTL is how long a policy is kept, in whole seconds up to an hour; 5 minutes
	// when 0, as in API Gateway. A negative TTL keeps none.
	TTL time.Duration

	// Timeout for the function; 10 seconds when 0.
	Timeout time.Duration

	// Failed, when not nil, is called for every request that was answered 500
	// because of the authorizer. The id is of the authorizer's invocation.
	Failed func(requestID string, err error)

	// Now is the cache's clock; [time.Now] when nil. It is called concurrently.
	Now func() time.Time
}

const (
	tokenType      = "TOKEN"
	defaultRESTTTL = 5 * time.Minute
)

func newRESTGate(a RESTAuthorizer) (*lambdaGate, error) {
	a.Type = cmp.Or(a.Type, tokenType)
	a.TTL = max(cmp.Or(a.TTL, defaultRESTTTL), 0)
	isToken := a.Type == tokenType
	if isToken && len(a.IdentitySources) == 0 {
		a.IdentitySources = []string{"method.request.header.Authorization"}
	}
	switch {
	case !isToken && a.Type != event.RequestType:
		return nil, fmt.Errorf("gateway: an authorizer's type %q is neither TOKEN nor REQUEST", a.Type)
	case isToken && (len(a.IdentitySources) != 1 || !strings.HasPrefix(a.IdentitySources[0], event.RESTSources.Header)):
		return nil, fmt.Errorf("gateway: a token comes from one header, not from %q", a.IdentitySources)
	case !isToken && a.TokenValidation != "":
		return nil, errors.New("gateway: TokenValidation is for authorizers of type TOKEN")
	}
	sources, err := event.RESTSources.Parse(a.IdentitySources)
	if err != nil {
		return nil, err
	}
	g := &lambdaGate{
		fn: a.Function, timeout: a.Timeout, failed: a.Failed,
		sources: sources, required: isToken || a.TTL > 0,
		event: event.RESTRequest, parse: parseRESTAnswer,
		ttl: a.TTL, now: a.Now,
	}
	if isToken {
		g.event = event.RESTToken
	}
	if a.TokenValidation != "" {
		valid, err := regexp.Compile("^(?:" + a.TokenValidation + ")$")
		if err != nil {
			return nil, fmt.Errorf("gateway: TokenValidation: %w", err)
		}
		g.sources[0] = onlyWhen(valid.MatchString, g.sources[0])
	}
	return g, g.check()
}

// onlyWhen makes a source empty for values that are not valid.
func onlyWhen(valid func(string) bool, source event.Source) event.Source {
	return func(req *event.Request) string {
		if value := source(req); valid(value) {
			return value
		}
		return ""
	}
}

// parseRESTAnswer takes no context but of strings, numbers and booleans, and
// makes strings of them.
func parseRESTAnswer(payload []byte) (*ruling, error) {
	r, err := parsePolicyAnswer(payload)
	if err != nil {
		return nil, err
	}
	for name, raw := range r.context {
		if string(raw) == "null" {
			delete(r.context, name)
			continue
		}
		var text answer.Scalar
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("context member %q is not a string, a number or a boolean", name)
		}
		r.context[name] = event.Marshal(string(text))
	}
	return r, nil
}

// answerRESTRefusal answers as the default gateway responses do: two of them
// have words of their own, with a capital in the member's name.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func answerRESTRefusal(w http.ResponseWriter, err error) {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		refuseREST(w, refused.status, refused.errorType, refused.message)
		return
	}
	status := refusedStatus(err)
	if status == http.StatusForbidden {
		message := "User is not authorized to access this resource"
		if errors.Is(err, errDeniedExplicitly) {
			message += " with an explicit deny"
		}
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		answerJSON(w, status, map[string]string{"Message": message})
		return
	}
	if status == http.StatusUnauthorized {
		refuseREST(w, status, "UnauthorizedException", unauthorized)
		return
	}
	refuseREST(w, status, "AuthorizerConfigurationException", nil)
}
