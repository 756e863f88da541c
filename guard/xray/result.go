package xray

import (
	"cmp"
	"context"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// A result is what a subsegment says of the handler in it.
type result struct {
	status int // of an HTTP answer, or of the error's kind
	code   string
	err    error
}

// unreturned is the result of a handler that panics or calls runtime.Goexit.
var unreturned = result{status: guard.Internal.Status(), code: "panic"}

func resultOf(ctx context.Context, payload, out []byte, err error) result {
	o := layer.OutcomeOf(ctx, payload, out, err)
	if o.Err == nil {
		return result{status: o.Status}
	}
	e := guard.Public(o.Err)
	return result{status: cmp.Or(o.Status, e.Kind.Status()), code: e.Code, err: o.Err}
}

// end closes the subsegment.
func (r result) end(seg *sdk.Segment) {
	annotate(seg, "errorCode", r.code)
	end(seg, r.status, nil)
}
