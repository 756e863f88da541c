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

	"github.com/aws/aws-lambda-go/lambda"
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

type call func(context.Context, []byte) (io.Reader, error)

// Invoke gives the answer back to the pool after it was read, not before.
func (f call) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := f(ctx, payload)
	if err != nil {
		return nil, err
	}
	if c, ok := answer.(io.Closer); ok {
		defer c.Close()
	}
	return io.ReadAll(answer)
}
