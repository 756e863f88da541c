// Package reflected mends the handlers of [lambda.NewHandler] for chains.
//
// Their Invoke returns bytes of a buffer that it has given back to a pool: the
// next invocation writes its answer over them, while the layers further out
// still read, store or send the answer of this one
// (https://github.com/aws/aws-lambda-go/pull/639, not in 1.55.1). With several
// invocations in one process a caller gets another caller's answer. The Lambda
// runtime loop goes past Invoke and is not affected; a layer cannot.
package reflected

import (
	"context"
	"io"
	"reflect"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	encode "github.com/lambdarmor/lambdarmor/internal/answer"
)

// Handler returns h or, where h was made by [lambda.NewHandler], a handler that
// does the same with answers that nobody else writes to.
func Handler(h lambda.Handler) lambda.Handler {
	v := reflect.ValueOf(h)
	if !v.IsValid() || v.Type() != reflect.TypeOf(lambda.NewHandler(nil)) || v.IsNil() {
		return h
	}
	// The function that Invoke calls is the embedded field of a type that is
	// not exported; nothing exported leads to it. Where a later version has
	// none, its Invoke has to do, and the tests of this package tell.
	field := v.Elem().FieldByName("handlerFunc")
	if !field.IsValid() || !field.CanConvert(reflect.TypeFor[call]()) {
		return h
	}
	field = reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem()
	return field.Convert(reflect.TypeFor[call]()).Interface().(call)
}

// Held reports whether a handler of somebody else's holds one of
// [lambda.NewHandler] in a field, whose Invoke it then calls: nobody can go past
// that. What a function encloses cannot be seen.
func Held(h lambda.Handler) bool { return holds(reflect.ValueOf(h), 4) }

func holds(v reflect.Value, depth int) bool {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return false
		}
		if v.Type() == reflect.TypeOf(lambda.NewHandler(nil)) {
			return true
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth == 0 {
		return false
	}
	for i := range v.NumField() {
		if k := v.Field(i).Kind(); (k == reflect.Interface || k == reflect.Pointer || k == reflect.Struct) && holds(v.Field(i), depth-1) {
			return true
		}
	}
	return false
}

type call func(context.Context, []byte) (io.Reader, error)

// Invoke gives the answer back to the pool after it was read, not before.
func (f call) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := f(ctx, payload)
	if err != nil {
		return nil, err
	}
	if r, ok := answer.(*events.LambdaFunctionURLStreamingResponse); ok {
		return encode.Buffered(r)
	}
	if c, ok := answer.(io.Closer); ok {
		defer c.Close()
	}
	return io.ReadAll(answer)
}
