package guard_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// perByte runs h over payload and reports the time for each byte: where that
// figure stays, time is linear in the size.
func perByte(b *testing.B, h lambda.Handler, payload []byte) {
	b.Helper()
	ctx := invocation(b.Context(), "r-1")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.Invoke(ctx, payload)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(payload)), "ns/byte")
}

// What it takes to judge each hostile text: as an event, and as a body in an
// event that may be as large as it likes.
func BenchmarkHostile(b *testing.B) {
	sizes := []struct {
		name  string
		bytes int
	}{{name: "64kB", bytes: 64_000}, {name: "640kB", bytes: 640_000}, {name: "6MB", bytes: 6_000_000}}
	roomy := guard.Limit(guard.Limits{Payload: guard.Unlimited, Body: guard.Unlimited})
	for _, kind := range hostileTexts {
		name := strings.ReplaceAll(kind.name, " ", "-")
		for _, size := range sizes {
			text := kind.make(size.bytes)
			b.Run("event/"+name+"/"+size.name, func(b *testing.B) {
				perByte(b, guard.Wrap(answers("", nil), guard.Limit(guard.Limits{})), []byte(text))
			})
			b.Run("body/"+name+"/"+size.name, func(b *testing.B) {
				perByte(b, guard.Wrap(answers("", nil), roomy), httpEvent(text, false))
			})
		}
	}
}

// The whole chain over events that grow, all of them allowed.
func BenchmarkGrowth(b *testing.B) {
	type order struct {
		ID    string   `json:"id"`
		Notes []string `json:"notes"`
	}
	note := `"` + strings.Repeat("n", 98) + `",`
	chain := func(h lambda.Handler) lambda.Handler {
		return guard.Wrap(h, guard.Log(logging.New(io.Discard)), guard.Errors(), guard.Recover(),
			guard.Limit(guard.Limits{}), guard.Deadline(300*time.Millisecond))
	}
	for _, shape := range []struct {
		name string
		h    lambda.Handler
	}{
		{name: "struct", h: chain(guard.Func(func(_ context.Context, in order) (struct{}, error) { return struct{}{}, nil }))},
		{
			name: "RawMessage",
			h:    chain(guard.Func(func(_ context.Context, in json.RawMessage) (struct{}, error) { return struct{}{}, nil })),
		},
		{
			name: "failing",
			h:    chain(guard.Func(func(_ context.Context, in order) (struct{}, error) { return struct{}{}, io.ErrUnexpectedEOF })),
		},
	} {
		for _, size := range []struct {
			name  string
			bytes int
		}{{name: "1kB", bytes: 1_000}, {name: "10kB", bytes: 10_000}, {name: "100kB", bytes: 100_000}, {name: "1MB", bytes: 1_000_000}, {name: "6MB", bytes: 6_000_000}} {
			payload := []byte(filled(size.bytes, `{"id":"o-4711","notes":[`, note, `"n"]}`))
			b.Run(shape.name+"/"+size.name, func(b *testing.B) { perByte(b, shape.h, payload) })
		}
	}
}
