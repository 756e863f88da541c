package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/handlertrace"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// DecodeOption changes how JSON is decoded into a Go value.
type DecodeOption struct{ rejectUnknown bool }

// RejectUnknownMembers refuses a member that the Go type has no field for, with
// code unknown_member. Without it such a member is ignored, because AWS adds
// members to its events.
func RejectUnknownMembers() DecodeOption { return DecodeOption{rejectUnknown: true} }

// Func returns a plain function as a handler. It decodes the event as encoding/json
// does, but refuses ambiguous JSON: duplicate members, names that differ from known
// ones in case alone, trailing data, invalid UTF-8, null for objects. It also
// enforces the [Limits]. The error is an [*Error] of kind Invalid with a JSON
// pointer to the place.
//
// The answer is encoded byte for byte as by [lambda.NewHandler]. Lambda takes 6 MiB
// and 100 bytes; a larger answer is an [*Error] of kind Internal with code
// response_too_large. The callbacks of package handlertrace are called as by
// lambda.NewHandler.
//
// An In of struct{} takes any event, and json.RawMessage takes it as it came. Func
// panics if fn is nil, or if it cannot decode In as encoding/json does: if In has a
// channel, duplicate names, or a tag that the decoders read differently. The panic
// names the type and the field.
func Func[In, Out any](fn func(context.Context, In) (Out, error), opts ...DecodeOption) lambda.Handler {
	if fn == nil {
		panic("guard: Func of a nil function")
	}
	if err := strictjson.CheckType(reflect.TypeFor[In]()); err != nil {
		panic("guard: Func: " + err.Error())
	}
	return HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		if _, none := any(in).(struct{}); !none {
			if err := EventOf(ctx, payload).Decode(&in, opts...); err != nil {
				return nil, err
			}
		}
		trace := handlertrace.FromContext(ctx)
		if trace.RequestEvent != nil {
			trace.RequestEvent(ctx, in)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		if trace.ResponseEvent != nil {
			trace.ResponseEvent(ctx, out)
		}
		return encode(out)
	})
}

// decode reads text into v within limits.
func decode(text []byte, v any, limits Limits, opts []DecodeOption) error {
	if err := limits.check(text); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(text, v, strictjson.Options{RejectUnknown: slices.Contains(opts, RejectUnknownMembers())}); err != nil {
		return refuse(err)
	}
	return nil
}

// encode returns the same bytes as lambda.NewHandler: no HTML escapes, no newline,
// and the content of a reader that encodes as {}.
func encode(v any) ([]byte, error) {
	if r, ok := v.(*events.LambdaFunctionURLStreamingResponse); ok && r != nil {
		out, err := answer.Buffered(r)
		if err != nil && !errors.Is(err, answer.ErrTooLarge) {
			return nil, &Error{Kind: Internal, Code: "invalid_response", Err: err}
		}
		return bounded(out, err)
	}
	out, err := answer.JSON(v)
	if r, ok := v.(io.Reader); ok && (err != nil || bytes.HasPrefix(out, []byte("{}"))) {
		if out, err = readAll(r); err != nil {
			return nil, fmt.Errorf("%w: %w", Reason("guard: read the answer"), err)
		}
	}
	if err != nil {
		return nil, &Error{Kind: Internal, Code: "response_not_json", Err: fmt.Errorf("%w: %w", Reason("guard: encode the answer"), err)}
	}
	return bounded(out, nil)
}

// bounded refuses an answer that is larger than Lambda takes, which err may report.
func bounded(out []byte, err error) ([]byte, error) {
	if err != nil || len(out) > answer.Max {
		return nil, &Error{Kind: Internal, Code: "response_too_large", Detail: "The response is larger than the platform takes."}
	}
	return out, nil
}

// readAll reads as much as Lambda takes, and a byte more if there is more.
func readAll(r io.Reader) ([]byte, error) {
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	return io.ReadAll(io.LimitReader(r, answer.Max+1))
}
