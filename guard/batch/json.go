package batch

import (
	"context"
	"reflect"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/recorddata"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Document is a record that carries a document: the body of an SQS message, the
// data of a Kinesis record, the value of a Kafka record.
type Document interface {
	events.SQSMessage | events.KinesisEventRecord | events.KafkaRecord
}

// JSON returns a function that decodes the document of a record and calls fn. It
// decodes as strictly as [guard.Func] does. A document that it refuses is an error
// of kind Invalid, which can never succeed. Members that T does not have are ignored,
// unless opts has [guard.RejectUnknownMembers]. The type of the record has to be
// written, that of the document need not be:
//
//	batch.SQS(batch.JSON[events.SQSMessage](bookOrder))
//
// A record of Kafka without a value, which deletes its key in a compacted topic, is
// refused as well: handle those in a [Layer]. JSON panics if fn is nil, and for a T
// that guard.Func refuses.
func JSON[R Document, T any](fn func(context.Context, T) error, opts ...guard.DecodeOption) func(context.Context, R) error {
	if fn == nil {
		panic("batch: JSON of a nil function")
	}
	if err := strictjson.CheckType(reflect.TypeFor[T]()); err != nil {
		panic("batch: JSON: " + err.Error())
	}
	return func(ctx context.Context, record R) error {
		text, err := recorddata.Of(record)
		if err != nil {
			return err
		}
		var in T
		if err := guard.EventOf(ctx, text).Decode(&in, opts...); err != nil {
			return err
		}
		return fn(ctx, in)
	}
}

// A Layer wraps a function that handles one record, as a [guard.Middleware] wraps a
// handler.
type Layer[R Record] = func(next func(context.Context, R) error) func(context.Context, R) error

// Chain wraps fn in layers. The first one is outermost; nil layers are skipped. It
// panics if fn is nil.
func Chain[R Record](fn func(context.Context, R) error, layers ...Layer[R]) func(context.Context, R) error {
	if fn == nil {
		panic("batch: Chain of a nil function")
	}
	for i := len(layers) - 1; i >= 0; i-- {
		if layers[i] != nil {
			fn = layers[i](fn)
		}
	}
	return fn
}
