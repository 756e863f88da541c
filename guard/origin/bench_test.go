package origin_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/origin"
)

func BenchmarkRequire(b *testing.B) {
	h := guard.Wrap(ok, origin.Require(origin.Account(account), origin.Region("us-east-1"), origin.Source("arn:aws:sqs:us-east-1:123456789012:or*")))
	for name, event := range map[string][]byte{
		"one record":    sample.Of(guard.SQS).Bytes(),
		"5 000 records": sample.Of(guard.SQS).Repeat(5_000).Bytes(),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
