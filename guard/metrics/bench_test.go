package metrics_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

// costs are chains without metrics, with the layers alone, and with five metrics.
// The log reads the event, as metrics.Default does without it. Writers take no time.
func costs(tb testing.TB) (context.Context, []cost) {
	ctx, cancel := context.WithTimeout(tb.Context(), time.Hour)
	tb.Cleanup(cancel)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd"})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")

	emf := metrics.New(io.Discard, "Shop", metrics.Dimensions(metrics.Dimension{Name: "service", Value: "orders"}))
	plain := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil })
	five := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		for _, name := range [...]string{"OrdersPlaced", "Items", "Amount", "StockLeft", "PaymentTime"} {
			if err := metrics.Add(ctx, name, metrics.Count, 3); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	log := guard.Log(logging.New(io.Discard))
	return ctx, []cost{
		{name: "none", h: guard.Wrap(plain)},
		{name: "emit", h: guard.Wrap(plain, metrics.Emit(emf))},
		{name: "emit+5", h: guard.Wrap(five, metrics.Emit(emf))},
		{name: "default", h: guard.Wrap(plain, metrics.Default(emf))},
		{name: "default+5", h: guard.Wrap(five, metrics.Default(emf))},
		{name: "log", h: guard.Wrap(plain, log)},
		{name: "log,default", h: guard.Wrap(plain, metrics.Default(emf), log)},
		{name: "log,default+5", h: guard.Wrap(five, metrics.Default(emf), log)},
	}
}

type cost struct {
	name string
	h    lambda.Handler
}

// Five metrics are the difference of emit+5 and none.
func BenchmarkMetrics(b *testing.B) {
	ctx, all := costs(b)
	for _, bc := range all {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bc.h.Invoke(ctx, []byte(`{}`)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestFiveMetricsAllocateFiveTimes(t *testing.T) {
	ctx, all := costs(t)
	allocations := map[string]float64{}
	for _, c := range all {
		allocations[c.name] = testing.AllocsPerRun(100, func() { _, _ = c.h.Invoke(ctx, nil) })
	}
	if got := allocations["emit+5"] - allocations["none"]; got > 5 {
		t.Errorf("got %g allocations for five metrics, want 5: %v", got, allocations)
	}
}
