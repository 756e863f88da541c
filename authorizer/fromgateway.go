package authorizer

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
)

// FromGateway takes over the grant of the gateway's authorizer: of one that
// answers as [Simple] and [Policy] do. The handler is called with the grant in
// its context, see [GrantFrom], and the log and the idempotency keys go by its
// principal.
//
// Where the authorizer has told no principal, or lacks one of the names that
// its context is expected to have, the request has come past it: by a route
// without the authorizer, a path that the gateway took for another, the default
// endpoint, VPC Lattice, an invocation of the function itself. It is refused as
// Unauthenticated. So is a grant that has expired since, which the gateway may
// go on to answer with for as long as it keeps decisions.
//
// Who may invoke the function can forge its event: FromGateway does not replace
// a resource policy that lets in the gateway alone.
func FromGateway(expect ...string) guard.Middleware {
	for _, name := range expect {
		if name == "" {
			panic("authorizer: FromGateway with an empty name")
		}
	}
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			g, err := gatewayGrant(ctx, payload, expect)
			if err != nil {
				return nil, err
			}
			return next.Invoke(enter(ctx, g), payload)
		})
	}
}

// gatewayGrant reads the grant that the gateway passes on.
func gatewayGrant(ctx context.Context, payload []byte, expect []string) (*Grant, error) {
	ev := guard.EventOf(ctx, payload)
	if ev.Trigger() == guard.VPCLattice { // which calls no authorizer
		return nil, bypassed(errNotAsked)
	}
	w := new(wire)
	if err := ev.Decode(w); err != nil {
		return nil, err
	}
	told, err := w.authorizerContext()
	if err != nil {
		return nil, bypassed(err)
	}
	g, err := grantOf(told)
	if err != nil {
		return nil, bypassed(err)
	}
	for _, name := range expect {
		if told[name] == nil {
			return nil, bypassed(errors.New("authorizer: the gateway's authorizer has not told " + name))
		}
	}
	if g.expired(time.Now()) {
		return nil, guard.Errorf(guard.Unauthenticated, "credential_expired", "The credential has expired.")
	}
	return g, nil
}

var errNotAsked = errors.New("authorizer: the request has not been through the gateway's authorizer")

// authorizerContext is what a Lambda authorizer has told: in format 2.0 in a
// member of its own, else beside what the gateway adds.
func (w *wire) authorizerContext() (map[string]any, error) {
	if w.RequestContext == nil || len(w.RequestContext.Authorizer) == 0 {
		return nil, errNotAsked
	}
	raw := w.RequestContext.Authorizer
	if w.Version == "2.0" {
		var kinds struct {
			Lambda jsontext.Value `json:"lambda"`
		}
		if err := json.Unmarshal(raw, &kinds); err != nil || len(kinds.Lambda) == 0 {
			return nil, errNotAsked
		}
		raw = kinds.Lambda
	}
	var told map[string]any
	if err := json.Unmarshal(raw, &told); err != nil || told == nil {
		return nil, errNotAsked
	}
	return told, nil
}

func bypassed(err error) error {
	return &guard.Error{
		Kind: guard.Unauthenticated, Code: "authorizer_context_missing",
		Detail: "The request has not been authorized.", Err: err,
	}
}
