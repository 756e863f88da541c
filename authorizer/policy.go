package authorizer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/authorizer/policy"
	"github.com/lambdarmor/lambdarmor/guard"
)

// IdentitySources declares the identity sources of a REST API's authorizer of type
// REQUEST, whose event does not have them. They must be those that the authorizer is
// configured with. [Policy] ignores them for all other events. IdentitySources
// panics if one is none of
//
//	method.request.header.NAME            context.resourcePath
//	method.request.querystring.NAME       context.path
//	stageVariables.NAME                   context.httpMethod
//	context.identity.sourceIp             context.domainName
//	context.identity.clientCert.clientCertPem
func IdentitySources(expressions ...string) Option {
	declared := make(map[place]bool)
	for _, e := range expressions {
		p, ok := parseSource(e)
		if !ok {
			panic("authorizer: IdentitySources with " + e)
		}
		declared[p] = true
	}
	return func(d *decider) { d.declared = declared }
}

func parseSource(expression string) (place, bool) {
	scope, rest, _ := strings.Cut(strings.TrimPrefix(expression, "$"), ".")
	if scope == "method" {
		scope, rest, _ = strings.Cut(rest, ".")
	}
	in, name, _ := strings.Cut(rest, ".")
	switch {
	case scope == "request" && in == "header" && name != "":
		return place{inHeader, strings.ToLower(name)}, true
	case scope == "request" && in == "querystring" && name != "":
		return place{inQuery, name}, true
	case scope == "stageVariables" && rest != "": // the same for all of a stage
		return place{inStage, rest}, true
	case scope != "context":
		return place{}, false
	}
	for _, kind := range []placeKind{inRouteKey, inMethod, inPath, inDomain, inSourceIP, inClientCert} {
		if p := (place{kind: kind}); "context."+rest == p.identitySource(RESTRequest) {
			return p, true
		}
	}
	return place{}, false
}

// CompleteRoutes declares that the tables of [Routes] name every route of the API
// that this authorizer guards. [Policy] needs it to allow a route with a parameter
// in a policy that the gateway stores: there "/orders/*" covers "/orders/42/refunds"
// as well. If the API has such a route and the table leaves it out, it is allowed.
func CompleteRoutes() Option {
	return func(d *decider) { d.complete = true }
}

// Policy returns an authorizer that answers with an IAM policy: for a REST API,
// types TOKEN and REQUEST; for a WebSocket API; for an HTTP API, payload formats 1.0
// and 2.0. It answers
//
//	a grant               a policy that allows, and the grant as context
//	Unauthenticated       the error Unauthorized: a 401
//	Forbidden             a policy that denies: a 403
//	any other error       the error: a 500, of which the gateway stores nothing
//
// The gateway stores a policy under the values of the identity sources, and holds
// every call to it that has them. The policy therefore allows what the check would
// allow, whichever route is called first:
//
//   - If the check reads no route, the policy allows the whole stage.
//   - If it goes through [Routes], the check is asked about each route of the
//     tables, and about a call of none of them. The policy allows those that it
//     grants. Grants must be the same for all routes. [Bearer], [APIKey] and package
//     basic look up a credential once for all of them.
//   - If the route is among the identity sources, the policy is for that route.
//   - With [Uncached], and for a WebSocket API, it is for the one call.
//
// In a policy a route without parameters stands by its name, and one with a
// parameter becomes "prefix/*". That needs [CompleteRoutes]. A route without
// parameters below it that the check refuses is denied by name, and so is each
// other spelling of it: with a character escaped, an empty segment or a dot
// segment. A path that Routes would refuse as ambiguous is denied too. If a route
// with a parameter below it is refused, no policy can say so.
//
// What no policy can say is an error with the code authorizer_cache_hazard, like a
// decision that depends on anything which is no identity source: see [Simple]. A
// path that would be a pattern in a policy, as it has "*", "?" or "${" in it, is an
// error with the code path_not_grantable where the policy is for that path.
//
// The identity source of a TOKEN authorizer is the token. Those of a REQUEST
// authorizer of a REST API are not in its event, so it needs [IdentitySources] or
// Uncached; its answers are stored for 300 seconds unless configured otherwise.
//
// Policy panics if the check is nil.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func Policy(c Check, opts ...Option) lambda.Handler {
	d := newDecider("Policy", c, opts, HTTP2, HTTP1, RESTToken, RESTRequest, WebSocket)
	return guard.HandlerFunc(d.policy)
}

// errUnauthorized is what the gateway turns into a 401: this text and no other.
var errUnauthorized = messages.InvokeResponse_Error{Type: "Unauthorized", Message: "Unauthorized"}

func (d *decider) policy(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := d.request(ctx, payload)
	if err != nil {
		return nil, err
	}
	r.memo = new(memo)
	g, err := d.ask(ctx, r)
	if verdictOf(err) == allowed || verdictOf(err) == forbidden {
		return d.cover(ctx, r, g, err)
	}
	if logged(ctx, nil, err) == unauthenticated {
		return nil, errUnauthorized
	}
	return nil, err
}

// cover answers with a policy for all calls that the gateway may hold to it.
// refusal is why the call itself is forbidden, nil when it is not.
func (d *decider) cover(ctx context.Context, r *Request, g *Grant, refusal error) ([]byte, error) {
	doc, g, err := d.document(ctx, r, g)
	var unsafe *hazardError
	switch {
	case errors.As(err, &unsafe):
		logged(ctx, g, nil)
		return nil, hazard(ctx, unsafe.fix)
	case verdictOf(err) == forbidden:
		refusal = err
	case err != nil:
		logged(ctx, nil, err)
		return nil, err
	}
	if g == nil || doc.Empty() {
		logged(ctx, nil, refusal)
		return []byte(denial), nil
	}
	answer, err := policyAnswer(r.in, g, doc)
	if err != nil {
		refusal = err
	}
	if logged(ctx, g, refusal) == failed {
		return nil, err
	}
	return answer, nil
}

// maxWebSocketAnswer is how large an answer a WebSocket API takes.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxWebSocketAnswer = 8 << 10

func policyAnswer(in *input, g *Grant, doc policy.Document) ([]byte, error) {
	b, _ := jsontext.AppendQuote([]byte(`{"principalId":`), g.Principal)
	document, err := doc.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b = append(append(b, `,"policyDocument":`...), document...)
	b, err = g.appendContext(append(b, `,"context":`...), in.format)
	if err != nil {
		return nil, err
	}
	if g.UsageKey != "" && (in.format == RESTToken || in.format == RESTRequest) {
		b = appendMember(b, "usageIdentifierKey", g.UsageKey)
	}
	b = append(b, '}')
	if in.format == WebSocket && len(b) > maxWebSocketAnswer {
		return nil, fmt.Errorf("authorizer: an answer of %d bytes, of which a WebSocket API takes %d", len(b), maxWebSocketAnswer)
	}
	return b, nil
}

// denial denies every call: this one may have no name in a policy.
const denial = `{"principalId":"nobody","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["*"]}]}}`
