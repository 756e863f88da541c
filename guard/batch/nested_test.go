package batch_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// A chain of layers may handle a record. Its limits hold for the record, whatever
// other records do meanwhile.
func TestALimitOfARecordHoldsBesideOtherRecords(t *testing.T) {
	const records = 4
	var met sync.WaitGroup
	met.Add(records)
	meet := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			met.Done()
			met.Wait() // all records are behind their limit
			return next.Invoke(ctx, payload)
		})
	}
	chain := guard.Wrap(guard.Func(func(context.Context, any) (struct{}, error) { return struct{}{}, nil }), guard.Limit(guard.Limits{Depth: 300}), meet)
	h := batch.SQS(func(ctx context.Context, m events.SQSMessage) error {
		_, err := chain.Invoke(ctx, []byte(m.Body))
		return err
	}, batch.Concurrency(records))
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	if got := invoke(t, h, bodies(deep, deep, deep, deep)); got != "none" {
		t.Errorf("got the failures %s, want none", got)
	}
}
