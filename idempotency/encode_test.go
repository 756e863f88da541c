package idempotency_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// The effect is there and its answer is not kept: somebody has to hear of it.
func TestAResultThatCannotBeEncodedIsTold(t *testing.T) {
	for name, run := range map[string]func(context.Context, idempotency.Operation) error{
		"not a number": func(ctx context.Context, op idempotency.Operation) error {
			_, err := idempotency.Do(ctx, op, "k", nil, func(context.Context) (float64, error) { return math.NaN(), nil })
			return err
		},
		"no JSON type": func(ctx context.Context, op idempotency.Operation) error {
			_, err := idempotency.Do(ctx, op, "k", nil, func(context.Context) (chan int, error) { return nil, nil })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var told []error
			var record idempotency.Record
			op := idempotency.NewOperation("measure", idempotency.NewMemoryStore(),
				idempotency.OnStoreError(func(_ context.Context, r idempotency.Record, err error) {
					record, told = r, append(told, err)
				}))
			var log bytes.Buffer
			h := guard.Wrap(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
				return []byte("null"), run(ctx, op)
			}}, guard.Log(logging.New(&log)))
			if _, err := h.Invoke(t.Context(), []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			if len(told) != 1 || record.Key == "" || record.Owner == "" {
				t.Fatalf("reported %v about %+v, want one error about the attempt", told, record)
			}
			if text := told[0].Error(); !strings.Contains(text, "result of operation measure") {
				t.Errorf("got %q", text)
			}
			if !strings.Contains(log.String(), `"idempotencyError":"`) || !strings.Contains(log.String(), `"idempotencyKey":"`) {
				t.Errorf("logged %s", log.String())
			}
			if _, err := h.Invoke(t.Context(), []byte(`{}`)); guard.KindOf(err) != guard.Unprocessable {
				t.Errorf("a repeat got %v, want a result that is unavailable", err)
			}
			if len(told) != 1 {
				t.Errorf("called %d times, want once", len(told))
			}
		})
	}
}
