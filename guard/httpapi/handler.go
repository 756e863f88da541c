package httpapi

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Handler makes a handler of a function from request to response, for what is
// not JSON both ways. Its errors are answered as those of [Func].
func Handler(fn func(context.Context, *Request) (Response, error)) lambda.Handler {
	if fn == nil {
		panic("httpapi: Handler of a nil function")
	}
	return layer.NamedHandler(handlerName, guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		res, err := fn(ctx, req)
		if err != nil {
			return nil, err
		}
		return x.answer(res.internal())
	}))
}
