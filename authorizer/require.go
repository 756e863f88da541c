package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Require returns a layer that calls the handler if the check grants, with the
// grant in its context: see [GrantFrom]. It is for what has no authorizer in front:
// a function URL, VPC Lattice, or a gateway whose cache is not wanted. Otherwise it
// returns the check's error; httpapi.Problems, further out, makes a response of it.
// Require panics if the check is nil.
//
// Each request is decided anew, so a check may read all of it. A request from VPC
// Lattice has neither a source address nor a certificate, so [SourceIP] and
// [ClientCert] deny there. An event that is no HTTP request is Invalid, with the
// code not_an_http_event.
func Require(c Check) guard.Middleware {
	if c == nil {
		panic("authorizer: Require with a nil check")
	}
	return layer.Named("authorizer.Require", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			decided(ctx, failed) // until it is, also where the check panics
			in, err := handlerInput(ctx, payload)
			if err != nil {
				return nil, err
			}
			g, err := ask(ctx, c, newRequest(in))
			decided(ctx, verdictOf(err))
			if err != nil {
				return nil, err
			}
			ctx, err = enter(ctx, g)
			if err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

// enter goes on with a grant. The error is that of a layer further out which has
// answered by another principal.
func enter(ctx context.Context, g *Grant) (context.Context, error) {
	if err := layer.SetPrincipal(ctx, g.Principal); err != nil {
		return nil, err
	}
	return withGrant(ctx, g), nil
}
