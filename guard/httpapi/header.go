package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// HeaderLayer returns a layer that sets headers of the response, for authors of
// layers. invoke fills header and calls next, or returns an error. The headers
// replace those of the handler with the same name, and are also set on the problem
// that an outer [Problems] makes of an error. A handler of this package encodes its
// response once, with these headers in it.
//
// Set-Cookie, and headers that HTTP does not allow, are left out. So are all of them
// if the event is not an HTTP request. The name is for the rules of order, see
// [layer.Named].
func HeaderLayer(name string, invoke func(ctx context.Context, payload []byte, header http.Header, next lambda.Handler) ([]byte, error)) guard.Middleware {
	if invoke == nil {
		panic("httpapi: HeaderLayer with a nil function")
	}
	return layer.Named(name, func(next lambda.Handler) lambda.Handler {
		self := new(byte)
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, x := enter(ctx, payload)
			header := make(http.Header)
			x.setFrom(setting{layer: self, header: header})
			out, err := invoke(ctx, payload, header, next)
			return x.decorated(out, err)
		})
	})
}

// setting decorates with the headers that are there when a response is encoded.
type setting struct {
	layer  *byte // whose they are
	header http.Header
}

func (s setting) decorate(_ *Request, res *answer.Answer) {
	for _, name := range slices.Sorted(maps.Keys(s.header)) {
		f := answer.Field{Name: strings.ToLower(name), Value: strings.Join(s.header[name], ", ")}
		if f.Valid() && !answer.Unsendable(f.Name) && f.Name != "set-cookie" {
			res.Set(f.Name, f.Value)
		}
	}
}

// setFrom adds the headers of a layer, in place of those of an earlier call of it.
func (x *exchange) setFrom(s setting) {
	first := x.outermost()
	first.mu.Lock()
	defer first.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(first.decorators), func(d decorator) bool {
		earlier, ok := d.(setting)
		return ok && earlier.layer == s.layer
	})
	first.decorators = append(others, s)
}
