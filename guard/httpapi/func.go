package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// handlerName is the name of this package's handlers in the rules for the order of layers.
const handlerName = "httpapi.Func, Routes, Handler, Serve"

// Option changes [Func].
type Option struct {
	status        int
	rejectUnknown bool
}

// Status sets the status of an answer that does not set its own, such as 201 or
// 202. It panics unless code is 2xx.
func Status(code int) Option {
	if code < 200 || code > 299 {
		panic("httpapi: Status of a failure: return a guard.Error instead")
	}
	return Option{status: code}
}

// RejectUnknownMembers refuses a body with a member that In has no field for.
func RejectUnknownMembers() Option { return Option{rejectUnknown: true} }

// Func returns a handler that decodes a JSON body, calls fn, and encodes what fn
// returns as JSON. The body must be there and be declared as JSON; it is decoded as
// by [guard.Func]. For an In of struct{} the body is ignored. The answer is a 200
// with the JSON of Out, or a 204 if Out is struct{}. An Out of type [Reply] sets
// its own status and headers.
//
// Errors of fn are returned unchanged. Another content type is a [guard.Error] of
// kind UnsupportedMediaType, a body over the limit TooLarge, and a body that is not
// the JSON of an In Invalid. [Problems] turns errors into responses.
func Func[In, Out any](fn func(context.Context, In) (Out, error), opts ...Option) lambda.Handler {
	if fn == nil {
		panic("httpapi: Func of a nil function")
	}
	if err := strictjson.CheckType(reflect.TypeFor[In]()); err != nil {
		panic("httpapi: Func: " + err.Error())
	}
	status := 0
	var decode []guard.DecodeOption
	for _, opt := range opts {
		status = cmp.Or(opt.status, status)
		if opt.rejectUnknown {
			decode = append(decode, guard.RejectUnknownMembers())
		}
	}
	return handler(func(ctx context.Context, x *exchange, _ *Request) (*answer.Answer, error) {
		var in In
		if _, none := any(in).(struct{}); !none {
			if err := readBody(x.event, &in, decode); err != nil {
				return nil, err
			}
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		return responseOf(out, status)
	})
}

// Handler returns a handler that calls fn with the request and sends what it
// returns, for bodies that are not JSON. Errors are handled as in [Func].
func Handler(fn func(context.Context, *Request) (Response, error)) lambda.Handler {
	if fn == nil {
		panic("httpapi: Handler of a nil function")
	}
	return handler(func(ctx context.Context, _ *exchange, req *Request) (*answer.Answer, error) {
		out, err := fn(ctx, req)
		if err != nil {
			return nil, err
		}
		res := answer.New(cmp.Or(out.Status, http.StatusOK))
		res.Body = out.Body
		res.AddHeader(out.Header)
		return res, nil
	})
}

// handler returns a handler for requests that are read and answered here.
func handler(fn func(context.Context, *exchange, *Request) (*answer.Answer, error)) lambda.Handler {
	return layer.NamedHandler(handlerName, guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		req, err := x.request()
		if err != nil {
			return nil, err
		}
		res, err := fn(ctx, x, req)
		if err != nil {
			return nil, err
		}
		return x.answer(res)
	}))
}

func readBody(event *guard.Event, v any, opts []guard.DecodeOption) error {
	if _, err := event.JSONBody(); err != nil {
		return err
	}
	return event.DecodeBody(v, opts...)
}

// responseOf returns the response for what a function returned.
func responseOf(out any, status int) (*answer.Answer, error) {
	res := answer.New(cmp.Or(status, http.StatusOK))
	if r, ok := out.(replier); ok {
		var err error
		if out, err = r.reply(res); err != nil {
			return nil, err
		}
	}
	if _, none := out.(struct{}); none {
		if res.Status == http.StatusOK {
			res.Status = http.StatusNoContent
		}
		return res, nil
	}
	var err error
	if res.Body, err = answer.JSON(out); err != nil {
		return nil, &guard.Error{Kind: guard.Internal, Code: "response_not_json", Err: fmt.Errorf("httpapi: encode the answer: %w", err)}
	}
	res.SetDefault("content-type", "application/json")
	return res, nil
}
