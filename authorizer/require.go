package authorizer

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Require has a check decide inside the handler, for what has no authorizer in
// front: a function URL, VPC Lattice, or a gateway whose cache is not wanted. The
// handler is called with the grant in its context: see [GrantFrom]. A denial is
// the check's error, and so is any other, with the kind that it has;
// httpapi.Problems, further out, makes responses of them.
//
// Each request is decided anew, so a check may look at all of it. That of VPC
// Lattice tells neither a source address nor a certificate: [SourceIP] and
// [ClientCert] deny there.
func Require(c Check) guard.Middleware {
	if c == nil {
		panic("authorizer: Require with a nil check")
	}
	return guard.Named("authorizer.Require", func(next lambda.Handler) lambda.Handler {
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
	if err := guard.SetPrincipal(ctx, g.Principal); err != nil {
		return nil, err
	}
	return withGrant(ctx, g), nil
}
