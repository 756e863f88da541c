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
)

// RESTAuthorizer is a Lambda authorizer of a REST API, before all of its
// methods. It answers with a policy, which is evaluated as that of an
// [Authorizer], for each request anew when it comes from the cache.
//
//   - A token that is missing, empty or not of the form of TokenValidation is 401
//     and the function is not called. So is a request without one of the identity
//     sources, or with an empty one, while answers are cached; without a cache
//     it is put to the function.
//   - What the policy denies explicitly and what it does not allow are 403, with
//     a message for each. The error whose text is exactly "Unauthorized" is 401.
//     Any other error, no answer in time, and an answer out of form are 500 with
//     the message null: a context, too, that holds an object or an array.
//   - The function finds the context as requestContext.authorizer, all values as
//     strings, besides principalId and integrationLatency, which is the time of
//     the authorizer's call in milliseconds, 0 for an answer from the cache.
//   - A usageIdentifierKey is accepted. There are no usage plans.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
type RESTAuthorizer struct {
	// Function is the authorizer.
	Function guardtest.Invoker

	// Type is "TOKEN", also when empty, or "REQUEST".
	Type string

	// IdentitySources are mapping expressions: "method.request.header.NAME",
	// "method.request.querystring.NAME", "context.NAME", "stageVariables.NAME". Of
	// type TOKEN it is one header, "method.request.header.Authorization" when empty.
	IdentitySources []string

	// TokenValidation is a regular expression that the whole token has to match;
	// none when empty. Of type TOKEN only.
	TokenValidation string

	// TTL is how long a policy is kept, in whole seconds up to an hour; 5 minutes
	// when 0, as in API Gateway, and not at all when it is negative.
	TTL time.Duration

	// Timeout for the function; 10 seconds when 0.
	Timeout time.Duration

	// Failed, when not nil, is told of every request that was answered 500 for
	// the authorizer's sake, and why. The id is that of the authorizer's invocation.
	Failed func(requestID string, err error)

	// Now is the cache's clock; [time.Now] when nil. Requests ask it concurrently.
	Now func() time.Time
}

const (
	tokenType      = "TOKEN"
	defaultRESTTTL = 5 * time.Minute
)

// identityOfRESTAPI are the mapping expressions of a REST API.
func identityOfRESTAPI() identitySyntax {
	return identitySyntax{
		header: "method.request.header.", query: "method.request.querystring.", context: "context.", stageVariable: "stageVariables.",
		variable: func(name string) func(*request) string {
			if name == "resourcePath" {
				return func(req *request) string { return req.route.path() }
			}
			return contextVariable(name)
		},
	}
}

func newRESTGate(a RESTAuthorizer) (*gate, error) {
	a.Type = cmp.Or(a.Type, tokenType)
	a.Timeout = cmp.Or(a.Timeout, authorizerTimeout)
	a.TTL = cmp.Or(a.TTL, defaultRESTTTL)
	a.TTL = max(a.TTL, 0)
	isToken := a.Type == tokenType
	if isToken && len(a.IdentitySources) == 0 {
		a.IdentitySources = []string{"method.request.header.Authorization"}
	}
	syntax := identityOfRESTAPI()
	switch {
	case a.Function == nil:
		return nil, errors.New("gateway: an authorizer needs a function")
	case !isToken && a.Type != authorizerType:
		return nil, fmt.Errorf("gateway: an authorizer's type %q is neither TOKEN nor REQUEST", a.Type)
	case isToken && (len(a.IdentitySources) != 1 || !strings.HasPrefix(a.IdentitySources[0], syntax.header)):
		return nil, fmt.Errorf("gateway: a token comes from one header, not from %q", a.IdentitySources)
	case !isToken && a.TokenValidation != "":
		return nil, errors.New("gateway: TokenValidation is for authorizers of type TOKEN")
	case a.Timeout < 0 || a.Timeout > authorizerTimeout:
		return nil, fmt.Errorf("gateway: an authorizer's timeout of %s is not between 0 and %s", a.Timeout, authorizerTimeout)
	case a.TTL > 0 && len(a.IdentitySources) == 0:
		return nil, errors.New("gateway: an authorizer without identity sources needs a negative TTL: there is nothing to keep its answers by")
	}
	if err := checkTTL(a.TTL); err != nil {
		return nil, err
	}
	sources, err := syntax.parse(a.IdentitySources)
	if err != nil {
		return nil, err
	}
	g := &gate{
		fn: a.Function, timeout: a.Timeout, failed: a.Failed,
		sources: sources, required: isToken || a.TTL > 0,
		event: restRequestEvent, parse: parseRESTAnswer,
		ttl: a.TTL, now: a.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	if isToken {
		g.event = restTokenEvent
		valid, err := regexp.Compile("^(?:" + a.TokenValidation + ")$")
		if err != nil {
			return nil, fmt.Errorf("gateway: TokenValidation: %w", err)
		}
		if a.TokenValidation != "" {
			g.sources[0] = g.sources[0].onlyWhen(valid.MatchString)
		}
	}
	return g, nil
}

// onlyWhen makes a source empty for values that are not valid.
func (s identitySource) onlyWhen(valid func(string) bool) identitySource {
	value := s.value
	s.value = func(req *request) string {
		if v := value(req); valid(v) {
			return v
		}
		return ""
	}
	return s
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
		var text scalar
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("context member %q is not a string, a number or a boolean", name)
		}
		r.context[name] = marshal(string(text))
	}
	var key string
	if err := json.Unmarshal(memberOrNull(objectMembers(payload), "usageIdentifierKey"), &key); err != nil {
		return nil, fmt.Errorf("usageIdentifierKey: %w", err)
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
