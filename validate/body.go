package validate

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Body returns a middleware that validates the HTTP body. It refuses a request
// with a [*guard.Error]:
//
//	validation_failed       Invalid               s refuses the body; Violations lists the places
//	validation_too_costly   Invalid               see [MaxSteps]
//	body_missing            Invalid               the request has no body
//	unsupported_media_type  UnsupportedMediaType  the content type is not application/json or …+json
//	malformed_json and others                     the body is not strict JSON, see [guard.Event.Tree]
//
// The body is decoded once for all layers. List Body on routes that take one.
func Body(s *Schema, opts ...Option) guard.Middleware {
	c := newChecker("Body", s, opts)
	return checking("validate.Body", func(ctx context.Context, payload []byte) error {
		ev := guard.EventOf(ctx, payload)
		if _, err := ev.JSONBody(); err != nil {
			return err
		}
		tree, err := ev.BodyTree()
		if err != nil {
			return err
		}
		return c.check(tree)
	})
}

// checking calls the next handler if check returns no error.
func checking(name string, check func(ctx context.Context, payload []byte) error) guard.Middleware {
	return layer.Named(name, func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if err := check(ctx, payload); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}
