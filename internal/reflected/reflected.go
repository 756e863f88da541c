// Package reflected makes the handlers of [lambda.NewHandler] safe inside a chain.
//
// Their Invoke puts the buffer of its answer back into a pool before the answer is
// read. The next invocation writes over it while outer layers still read, store or
// send it (https://github.com/aws/aws-lambda-go/pull/639, not in 1.55.1). With
// several invocations in one process a caller gets another caller's answer. The
// Lambda runtime loop does not use Invoke and is not affected.
package reflected

import (
	"context"
	"io"
	"reflect"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	encode "github.com/lambdarmor/lambdarmor/internal/answer"
)

// Handler returns h. If h was made by [lambda.NewHandler], it returns an equivalent
// handler whose answers are not overwritten.
func Handler(h lambda.Handler) lambda.Handler {
	v := reflect.ValueOf(h)
	if !v.IsValid() || v.Type() != reflect.TypeOf(lambda.NewHandler(nil)) || v.IsNil() {
		return h
	}
	// The function that Invoke calls is the embedded field of an unexported type.
	// If a later version has no such field, h is used as it is, and the tests of
	// this package fail.
	field := v.Elem().FieldByName("handlerFunc")
	if !field.IsValid() || !field.CanConvert(reflect.TypeFor[call]()) {
		return h
	}
	field = reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem()
	return field.Convert(reflect.TypeFor[call]()).Interface().(call)
}

// Held reports whether a third party's handler holds one of [lambda.NewHandler] in a
// field, and so calls its Invoke. It cannot see the variables of a closure.
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

// Invoke puts the buffer back into the pool after the answer was read.
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
