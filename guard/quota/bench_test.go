package quota_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// What Limit adds to a request that needs no store is the difference to bare, beside
// what a replay of idempotency.Once takes that needs none either.
func BenchmarkLimit(b *testing.B) {
	const plenty = 999_999_999_999_999
	handler := httpapi.Func(func(context.Context, struct{}) (map[string]string, error) {
		return map[string]string{"status": "done"}, nil
	})
	for _, bench := range []struct {
		name  string
		layer guard.Middleware
	}{
		{name: "bare"},
		{name: "principal", layer: quota.Limit(idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("user", plenty, 24*time.Hour, quota.Principal()))},
		{name: "two policies", layer: quota.Limit(idempotency.NewMemoryStore(), quota.FailClosed,
			quota.Allow("user", plenty, time.Hour, quota.Principal()), quota.Allow("place", plenty, 24*time.Hour, quota.Principal(), quota.Route()))},
		{name: "refused", layer: quota.Limit(idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("user", 1, 24*time.Hour, quota.Principal()))},
		{name: "idempotency, a local replay", layer: idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"), idempotency.LocalReplays(1))},
		{name: "idempotency, a replay", layer: idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			h := guard.Wrap(handler, httpapi.Problems(), authenticate(), bench.layer)
			benchmark(b, h)
		})
	}
}

func benchmark(b *testing.B, h lambda.Handler) {
	event := call{who: "alice", key: `"k-1"`}.event()
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if out, err := h.Invoke(ctx, event); err != nil || len(out) == 0 {
			b.Fatal(err)
		}
	}
}

// A hot key over a real table: most requests need none of it.
func BenchmarkLimitOverAStore(b *testing.B) {
	for _, s := range stores {
		b.Run(s.name, func(b *testing.B) {
			open := s.make(b)
			store := open(time.Now)
			var writes atomic.Int64
			counted := counter(func(ctx context.Context, key string, want, limit int64, expires time.Time) (int64, int64, error) {
				writes.Add(1)
				return store.Take(ctx, key, want, limit, expires)
			})
			handler := httpapi.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
			h := guard.Wrap(handler, httpapi.Problems(), authenticate(), quota.Limit(counted, quota.FailClosed, quota.Allow("user", 1000, time.Minute, quota.Principal())))
			requests := 0
			for b.Loop() {
				requests++
				if r := send(b, h, call{who: fmt.Sprint("caller ", requests/1000)}); r.Status == 503 {
					b.Fatal(r.Body)
				}
			}
			b.ReportMetric(float64(writes.Load())*1000/float64(requests), "writes/1000")
		})
	}
}
