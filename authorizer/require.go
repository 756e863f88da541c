package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Require returns a layer that runs a check in the function. It calls the handler if
// the check grants, with the grant in its context: see [GrantFrom]. Otherwise it returns
// the check's error; list Require after httpapi.Problems, which turns the error into a
// response. Use it where no authorizer stands in front: a function URL, VPC Lattice, or
// an API that needs no cache. It panics if the check is nil.
//
// No decision is stored, so a check may read all of a request. VPC Lattice provides
// neither source address nor certificate, so [SourceIP] and [ClientCert] deny there.
// An event that is no HTTP request is Invalid, with the code not_an_http_event.
func Require(c Check) guard.Middleware {
	if c == nil {
		panic("authorizer: Require with a nil check")
	}
	return granting("authorizer.Require", func(ctx context.Context, payload []byte) (*Grant, error) {
		recordDecision(ctx, failed) // also if the check panics
		in, err := reads.ByHandler(ctx, payload)
		if err != nil {
			return nil, err
		}
		g, err := decide(ctx, c, newRequest(in))
		recordDecision(ctx, verdictOf(err))
		return g, err
	})
}

// granting returns a layer that calls the handler with the grant of a request. It returns
// an error if a layer outside has already answered as another principal.
func granting(name string, grant func(ctx context.Context, payload []byte) (*Grant, error)) guard.Middleware {
	return layer.Named(name, func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			g, err := grant(ctx, payload)
			if err != nil {
				verdictOf(err).count(ctx)
				return nil, err
			}
			if err := layer.SetPrincipal(ctx, g.Principal); err != nil {
				return nil, err
			}
			return next.Invoke(withGrant(ctx, g), payload)
		})
	})
}
