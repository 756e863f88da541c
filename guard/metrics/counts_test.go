package metrics_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestWhatLayersCountIsMeasured(t *testing.T) {
	log := logging.New(new(buffer))
	answer := httpapi.Func(func(context.Context, struct{}) (string, error) { return "", nil })
	record := func(ctx context.Context, m events.SQSMessage) error {
		if err := metrics.Add(ctx, "Bytes", metrics.Bytes, float64(len(m.Body))); err != nil {
			t.Error(err)
		}
		if m.Body == "bad" {
			return errors.New("no stock")
		}
		return nil
	}
	for _, c := range []struct {
		name    string
		handler lambda.Handler
		layers  []guard.Middleware
		event   []byte
		want    map[string]float64
		of      int // documents
	}{
		{
			name: "a batch", of: 1, want: map[string]float64{"Records": 3, "RecordsFailed": 1, "Bytes": 9, "Invocations": 1},
			handler: batch.SQS(record), layers: []guard.Middleware{guard.Default(log)},
			event: sample.Of(guard.SQS).Messages("one", "bad", "two").Bytes(),
		},
		{
			name: "a replay", of: 1, want: map[string]float64{"Replays": 1, "Invocations": 1},
			handler: answer, event: sample.HTTP("POST", "/").Header("Idempotency-Key", "k-1").Bytes(),
			layers: []guard.Middleware{httpapi.Default(log), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"))},
		},
		{
			name: "a denial", of: 2, want: map[string]float64{"Denials": 1, "Invocations": 1, "Refusals": 1},
			handler: answer, event: sample.HTTP("POST", "/").Bytes(),
			layers: []guard.Middleware{httpapi.Default(log), authorizer.Require(authorizer.SourceIP("10.0.0.0/8"))},
		},
	} {
		var w buffer
		h := guard.Wrap(c.handler, append([]guard.Middleware{metrics.Default(metrics.New(&w, "Shop"))}, c.layers...)...)
		for range 2 { // the second time is warm, and a repeat
			w.mu.Lock()
			w.text.Reset()
			w.mu.Unlock()
			if _, err := h.Invoke(t.Context(), c.event); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		all := read(t, w.String())
		got := map[string]float64{}
		for _, d := range all {
			for name := range d.metrics {
				got[name] += d.sum(name)
			}
		}
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s: got %g as %s, want %g", c.name, got[name], name, want)
			}
		}
		if len(all) != c.of {
			t.Errorf("%s: got %d documents %v, want %d", c.name, len(all), all, c.of)
		}
	}
}
