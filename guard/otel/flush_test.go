package otel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

// exporting returns a provider that sends to a collector in batches, each of which
// waits for a flush.
func exporting(t testing.TB, c *oteltest.Collector, opts ...otlptracehttp.Option) *sdktrace.TracerProvider {
	t.Helper()
	exporter, err := otlptracehttp.New(t.Context(), append(opts, otlptracehttp.WithEndpointURL(c.URL+"/v1/traces"))...)
	if err != nil {
		t.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(time.Hour)))
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nothing more is sent
		_ = tp.Shutdown(ctx)
	})
	return tp
}

var withoutRetry = otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})

func TestSpansAreSentBeforeTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		h      lambda.Handler
		status codes.Code
		panics bool
	}{
		"an answer": {h: answer(`{}`)},
		"an error":  {h: failing(errors.New("broken")), status: codes.Error},
		"a panic":   {h: panicking("boom"), status: codes.Error, panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := oteltest.Start(t)
			tp := exporting(t, c)
			h := guard.Wrap(tt.h, otel.Flush(time.Hour, tp), otel.Trace(tp)) // nothing waits for the hour
			panicked := func() (value any) {
				defer func() { value = recover() }()
				_, _ = h.Invoke(invocation(t.Context(), ""), []byte(`{}`))
				return nil
			}()
			spans := c.Spans()
			if len(spans) != 1 || spans[0].Status != tt.status || (panicked != nil) != tt.panics {
				t.Errorf("got %d spans %+v, panic %v, want 1 with status %v", len(spans), spans, panicked, tt.status)
			}
		})
	}
}

// A collector that does not take spans costs the reserve and no more, and the answer
// is what it was. The record of it quotes nothing.
func TestACollectorThatDoesNotTakeSpansDoesNotFailAnInvocation(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(*oteltest.Collector)
		opts []otlptracehttp.Option
		down bool // the next invocation cannot be better
	}{
		"slow":              {set: func(c *oteltest.Collector) { c.Hold() }},
		"down":              {set: (*oteltest.Collector).Down},
		"gone":              {set: (*oteltest.Collector).Close, down: true},
		"busy":              {set: func(c *oteltest.Collector) { c.Throttle(time.Hour) }, opts: []otlptracehttp.Option{withoutRetry}},
		"busy, and waiting": {set: func(c *oteltest.Collector) { c.Throttle(30 * time.Second) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := oteltest.Start(t)
			tp := exporting(t, c, tt.opts...)
			var out bytes.Buffer
			h := guard.Wrap(answer(`{"placed":true}`), otel.Flush(100*time.Millisecond, tp), otel.Trace(tp), guard.Log(logging.New(&out)))
			tt.set(c)
			got, err := h.Invoke(invocation(t.Context(), ""), []byte(`{}`))
			if err != nil || string(got) != `{"placed":true}` {
				t.Errorf("got %s, %v, want the answer", got, err)
			}
			records := strings.Split(strings.TrimSpace(out.String()), "\n")
			if last := records[len(records)-1]; len(records) != 2 || !strings.Contains(last, `"telemetry was not sent"`) ||
				!strings.Contains(last, `"code":"telemetry_not_sent"`) || !strings.Contains(last, `"trace_id"`) {
				t.Errorf("got %s, want the record of the invocation, and one of the flush", &out)
			}
			if len(c.Spans()) != 0 {
				t.Errorf("got %d spans, want none", len(c.Spans()))
			}
			if tt.down {
				return
			}
			c.Accept()
			out.Reset()
			if _, err := h.Invoke(invocation(t.Context(), ""), []byte(`{}`)); err != nil || strings.Contains(out.String(), "telemetry") || len(c.Spans()) == 0 {
				t.Errorf("got %v, %d spans, %s, want what comes later to be sent", err, len(c.Spans()), &out)
			}
		})
	}
}

// flushed is a provider that keeps the context of a flush.
type flushed struct {
	err  error
	ctx  context.Context
	left time.Duration // "now" to the deadline
	now  time.Time
}

func (f *flushed) ForceFlush(ctx context.Context) error {
	end, ok := ctx.Deadline()
	if !ok {
		return errors.New("no deadline")
	}
	f.ctx, f.left = ctx, end.Sub(f.now)
	return errors.Join(f.err, ctx.Err())
}

func TestAFlushHasTheReserveOrWhatIsLeft(t *testing.T) {
	now := time.Now().Round(0)
	const reserve = time.Second
	for name, tt := range map[string]struct {
		deadline time.Time // of the invocation
		want     time.Duration
	}{
		"much time":   {deadline: now.Add(time.Hour), want: reserve},
		"little time": {deadline: now.Add(400 * time.Millisecond), want: 350 * time.Millisecond},
		"no time":     {deadline: now.Add(50 * time.Millisecond)},
		"over":        {deadline: now.Add(-time.Second)},
		"no deadline": {want: reserve},
		"one of 1970": {deadline: time.UnixMilli(0), want: reserve},
	} {
		ctx := invocation(t.Context(), "")
		if !tt.deadline.IsZero() {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, tt.deadline)
			defer cancel()
		}
		traces, values := &flushed{now: now}, &flushed{now: now, err: errors.New("broken")}
		var out bytes.Buffer
		h := guard.Wrap(answer(`{}`), otel.FlushAt(func() time.Time { return now }, reserve, values, traces), guard.Log(logging.New(&out)))
		if _, err := h.Invoke(ctx, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if traces.left != tt.want || values.left != tt.want {
			t.Errorf("%s: got %v and %v, want %v", name, traces.left, values.left, tt.want)
		}
		if !strings.Contains(out.String(), "telemetry_not_sent") {
			t.Errorf("%s: got %s, want the error of one provider, or that there was no time", name, &out)
		}
		if traces.ctx != nil && traces.ctx.Err() == nil {
			t.Errorf("%s: the context of the flush goes on after it", name)
		}
	}
}

// A flush goes by the deadline of the invocation, and not by what a layer has made of
// it or by a caller that has given up.
func TestAFlushOutlivesTheContextOfTheHandler(t *testing.T) {
	now := time.Now().Round(0)
	f := &flushed{now: now}
	ctx, cancel := context.WithCancel(invocation(t.Context(), ""))
	var out bytes.Buffer
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		cancel()
		return nil, nil
	}), otel.FlushAt(func() time.Time { return now }, time.Second, f), guard.Log(logging.New(&out)))
	if _, err := h.Invoke(ctx, []byte(`{}`)); err != nil || f.left != time.Second || strings.Contains(out.String(), "telemetry") {
		t.Errorf("got %v, %v, %s, want a flush of 1s", err, f.left, &out)
	}
}

// Many invocations at once, each in a trace of its own: no span has a parent, a name
// or an attribute of another, no record its ids, and no measurement is lost.
func TestInvocationsAtOnceDoNotMix(t *testing.T) {
	const n = 64
	c := oteltest.Start(t)
	tp := exporting(t, c)
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(c.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	defer func() { _ = mp.Shutdown(t.Context()) }()
	meter := otel.Meter(mp)
	all := make(chan struct{})
	var log bytes.Buffer
	var inside sync.WaitGroup
	inside.Add(n)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		inside.Done()
		<-all // until all are here
		lc, _ := lambdacontext.FromContext(ctx)
		_, span := tp.Tracer("handler").Start(ctx, "inner", trace.WithAttributes(attribute.String("request", lc.AwsRequestID)))
		span.End()
		return []byte(`{"statusCode":200}`), meter.Measure(ctx, metrics.Measurement{Name: "Orders", Unit: metrics.Count, Value: 1})
	}), otel.Flush(time.Hour, tp, mp), otel.Trace(tp), guard.Log(logging.New(&log)))
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			ctx := invocation(t.Context(), fmt.Sprintf("Root=1-5759e988-bd862e3fe1be46a994%06x;Parent=53995c3f42cd8ad8;Sampled=1", i))
			ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: fmt.Sprint("r-", i)})
			payload := sample.HTTP("GET", fmt.Sprintf("/orders%d/1", i)).Route(fmt.Sprintf("GET /orders%d/{id}", i)).Bytes()
			if _, err := h.Invoke(ctx, payload); err != nil {
				t.Error(err)
			}
		})
	}
	inside.Wait()
	close(all)
	running.Wait()
	outer, inner := make(map[string]oteltest.Span), make(map[string]oteltest.Span)
	for _, s := range c.Spans() {
		if s.Name == "inner" {
			inner[s.TraceID] = s
		} else {
			outer[s.TraceID] = s
		}
	}
	if len(c.Spans()) != 2*n || len(outer) != n || len(inner) != n {
		t.Fatalf("got %d spans, %d and %d, want %d and %d", len(c.Spans()), len(outer), len(inner), n, n)
	}
	for i := range n {
		id := fmt.Sprintf("5759e988bd862e3fe1be46a994%06x", i)
		out, in := outer[id], inner[id]
		if want := fmt.Sprintf("GET /orders%d/{id}", i); out.Name != want || out.ParentID != xraySpan || in.ParentID != out.SpanID ||
			out.Attributes["faas.invocation_id"] != fmt.Sprint("r-", i) || in.Attributes["request"] != fmt.Sprint("r-", i) {
			t.Errorf("%d: got %+v and %+v", i, out, in)
		}
	}
	records := 0
	for line := range strings.SplitSeq(strings.TrimSpace(log.String()), "\n") {
		var r struct {
			RequestID string `json:"requestId"`
			TraceID   string `json:"trace_id"`
			SpanID    string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if s := outer[r.TraceID]; s.SpanID != r.SpanID || s.Attributes["faas.invocation_id"] != r.RequestID {
			t.Errorf("got %s, want the ids of one span, not of %+v", line, s)
		}
		records++
	}
	if records != n {
		t.Errorf("got %d records of the log, want %d", records, n)
	}
	most := 0.0
	for _, m := range c.Metrics() {
		if m.Name == "Orders" {
			most = max(most, m.Value) // of a sum since the beginning
		}
	}
	if most != n {
		t.Errorf("got %v orders, want %d", most, n)
	}
}
