package idempotency

import "context"

// Records returns a layer for functions that handle one record, see batch.Chain of
// package guard/batch: [Do] around each record. A record that comes again after it
// was handled is a success, without a call of the function.
//
// key returns the key of a record, and what a repeat must have in common with it,
// as the input of Do. Use the id of a message against repeated deliveries, and an
// id of the business, such as an order's, against a sender that sends twice:
//
//	idempotency.Records(booking, func(m events.SQSMessage) (key string, input any) { return m.MessageId, nil })
func Records[R any](op Operation, key func(record R) (key string, input any)) func(next func(context.Context, R) error) func(context.Context, R) error {
	if op.c == nil {
		panic("idempotency: Records of a zero Operation; use NewOperation")
	}
	if key == nil {
		panic("idempotency: Records without a key")
	}
	return func(next func(context.Context, R) error) func(context.Context, R) error {
		return func(ctx context.Context, record R) error {
			k, input := key(record)
			_, err := Do(ctx, op, k, input, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, next(ctx, record)
			})
			return err
		}
	}
}
