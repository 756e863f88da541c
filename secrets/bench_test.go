package secrets_test

import (
	"context"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
)

type fixed string

func (f fixed) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	values := make([]secrets.Value, len(refs))
	for i := range values {
		values[i] = secrets.Value{Data: []byte(f), Version: "1"}
	}
	return values, nil
}

func BenchmarkGetWarm(b *testing.B) {
	c := secrets.New(fixed("hunter2"))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(ctx, "payments/api-key"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetWarmParallel(b *testing.B) {
	c := secrets.New(fixed("hunter2"))
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(ctx, "payments/api-key"); err != nil {
				b.Error(err)
			}
		}
	})
}
