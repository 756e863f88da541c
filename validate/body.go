package validate

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Body lets a request through whose HTTP body is JSON that s accepts, and
// refuses any other with a [*guard.Error]:
//
//	validation_failed       Invalid               s refuses it; Violations has the places
//	body_missing            Invalid               there is none
//	unsupported_media_type  UnsupportedMediaType  the content type is not application/json or …+json
//	malformed_json and the like                   the body is not strict JSON, see [guard.Event.Tree]
//	validation_too_costly   Invalid               see [MaxChecks]
//
// It judges the tree that the layers share, so the body is decoded once for
// all that ask. It belongs around routes that take a body.
func Body(s Schema, opts ...Option) guard.Middleware {
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

// checking calls what is inside it when check finds nothing.
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
