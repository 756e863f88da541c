package xray

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Subsegment records a layer, with all that is inside it, as a subsegment of this
// name within that of [Trace]. It is marked and has errorCode as Trace does. The
// name has at most 200 bytes; a character that X-Ray does not allow becomes "_".
// Without Trace outside it records nothing.
//
//	xray.Subsegment("authorize", authorizer.Require(check))
func Subsegment(name string, m guard.Middleware) guard.Middleware {
	if name == "" || len(name) > longestName || m == nil {
		panic("xray: Subsegment needs a name of 1 to 200 bytes and a layer")
	}
	return func(next lambda.Handler) lambda.Handler {
		inner := m(next)
		return layer.NamedHandler("xray.Subsegment", &recorded{name: name, next: inner}, inner)
	}
}

type recorded struct {
	name string
	next lambda.Handler
}

func (r *recorded) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	ctx, seg := begin(ctx, r.name)
	if seg == nil {
		return r.next.Invoke(ctx, payload)
	}
	result := unreturned
	defer func() { result.end(seg) }()
	out, err = r.next.Invoke(ctx, payload)
	result = resultOf(ctx, payload, out, err)
	return out, err
}
