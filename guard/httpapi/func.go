package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// handlerName is the name by which the rules for order know a handler of this
// package.
const handlerName = "httpapi.Func, Routes, Handler, Serve"

// Option changes [Func].
type Option func(*funcOptions)

type funcOptions struct {
	status int
	decode []guard.DecodeOption
}

// Status sets the status of an answer that does not set its own: 201, 202.
func Status(code int) Option {
	if code < 200 || code > 299 {
		panic("httpapi: Status of a failure: return a guard.Error instead")
	}
	return func(o *funcOptions) { o.status = code }
}

// RejectUnknownMembers refuses a body with a member that In has no field for.
func RejectUnknownMembers() Option {
	return func(o *funcOptions) { o.decode = append(o.decode, guard.RejectUnknownMembers()) }
}

// Func makes a handler of a plain function: a JSON body in, a JSON body out.
// The body is decoded as by [guard.Func]; it must be there and be declared as
// JSON. An In of struct{} takes a request without looking at its body. The
// answer is a 200 with the JSON of Out, a 204 where Out is struct{}, and what
// it says where Out is a [Reply].
//
// Its errors are [guard.Error] of kind UnsupportedMediaType for another content
// type, TooLarge for a body over the limit, Invalid for what is not the JSON
// of an In, and the function's own. [Problems] makes responses of them.
func Func[In, Out any](fn func(context.Context, In) (Out, error), opts ...Option) lambda.Handler {
	if fn == nil {
		panic("httpapi: Func of a nil function")
	}
	if err := strictjson.CheckType(reflect.TypeFor[In]()); err != nil {
		panic("httpapi: Func: " + err.Error())
	}
	var o funcOptions
	for _, opt := range opts {
		opt(&o)
	}
	return layer.NamedHandler(handlerName, guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		ctx, x := enter(ctx, payload)
		if _, err := x.request(); err != nil {
			return nil, err
		}
		var in In
		if _, none := any(in).(struct{}); !none {
			if err := readBody(x.event, &in, o.decode); err != nil {
				return nil, err
			}
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		res, err := responseOf(out, o.status)
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

// responseOf encodes what a function returned.
func responseOf(out any, status int) (*answer.Answer, error) {
	res := answer.New(http.StatusOK)
	if status != 0 {
		res.Status = status
	}
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
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, &guard.Error{Kind: guard.Internal, Code: "response_not_json", Err: fmt.Errorf("httpapi: encode the answer: %w", err)}
	}
	res.Body = bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
	res.SetDefault("content-type", "application/json")
	return res, nil
}
