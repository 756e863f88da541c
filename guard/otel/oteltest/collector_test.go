package oteltest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

var shop = resource.NewSchemaless(attribute.String("service.name", "shop"))

// noRetry has an export fail at the first answer.
var noRetry = otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})

func traces(t *testing.T, c *oteltest.Collector, opts ...otlptracehttp.Option) *sdktrace.TracerProvider {
	t.Helper()
	exporter, err := otlptracehttp.New(t.Context(), append(opts, otlptracehttp.WithEndpointURL(c.URL+"/v1/traces"))...)
	if err != nil {
		t.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(shop))
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what a test has not flushed is of no interest
		_ = tp.Shutdown(ctx)
	})
	return tp
}

func TestSpansArriveAsTheExporterSendsThem(t *testing.T) {
	for name, opts := range map[string][]otlptracehttp.Option{
		"protobuf":       nil,
		"JSON":           {otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON)},
		"protobuf, gzip": {otlptracehttp.WithCompression(otlptracehttp.GzipCompression)},
		"JSON, gzip":     {otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON), otlptracehttp.WithCompression(otlptracehttp.GzipCompression)},
	} {
		t.Run(name, func(t *testing.T) {
			c := oteltest.Start(t)
			tp := traces(t, c, opts...)
			tracer := tp.Tracer("mine", trace.WithInstrumentationVersion("v1.2.3"))
			ctx, outer := tracer.Start(t.Context(), "outer", trace.WithSpanKind(trace.SpanKindServer))
			_, inner := tracer.Start(ctx, "inner", trace.WithLinks(trace.Link{SpanContext: outer.SpanContext()}), trace.WithAttributes(
				attribute.String("text", "é"), attribute.Int("number", 1<<53+1), attribute.Bool("yes", true),
				attribute.Float64("half", 0.5), attribute.StringSlice("list", []string{"a", "b"}),
			))
			inner.AddEvent("happened", trace.WithAttributes(attribute.Int("times", 2)))
			inner.SetStatus(codes.Error, "no luck")
			inner.End()
			outer.End()
			if err := tp.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
			spans := c.Spans()
			if len(spans) != 2 || c.Requests() != 1 {
				t.Fatalf("got %d spans in %d requests, want 2 in 1", len(spans), c.Requests())
			}
			in, out := spans[0], spans[1]
			if got, want := in.TraceID, outer.SpanContext().TraceID().String(); got != want || out.TraceID != want {
				t.Errorf("got trace ids %q and %q, want %q", got, out.TraceID, want)
			}
			if got, want := in.ParentID, outer.SpanContext().SpanID().String(); got != want || out.SpanID != want || out.ParentID != "" {
				t.Errorf("got parent %q of a span in %q with parent %q, want %q twice", got, out.SpanID, out.ParentID, want)
			}
			if in.Name != "inner" || out.Name != "outer" || in.Kind != trace.SpanKindInternal || out.Kind != trace.SpanKindServer {
				t.Errorf("got %s %v, %s %v, want inner internal, outer server", in.Name, in.Kind, out.Name, out.Kind)
			}
			if in.Status != codes.Error || in.StatusMessage != "no luck" || out.Status != codes.Unset {
				t.Errorf("got status %v %q and %v, want Error and Unset", in.Status, in.StatusMessage, out.Status)
			}
			list, _ := in.Attributes["list"].([]any)
			if a := in.Attributes; len(a) != 5 || a["text"] != "é" || a["number"] != int64(1<<53+1) || a["yes"] != true || a["half"] != 0.5 ||
				len(list) != 2 || list[1] != "b" {
				t.Errorf("got attributes %v", a)
			}
			if len(in.Events) != 1 || in.Events[0].Name != "happened" || in.Events[0].Attributes["times"] != int64(2) {
				t.Errorf("got events %v", in.Events)
			}
			if len(in.Links) != 1 || in.Links[0].TraceID != out.TraceID || in.Links[0].SpanID != out.SpanID {
				t.Errorf("got links %v", in.Links)
			}
			if in.Resource["service.name"] != "shop" || in.Scope != "mine" || in.Version != "v1.2.3" {
				t.Errorf("got resource %v, scope %s %s", in.Resource, in.Scope, in.Version)
			}
			if in.Start.Before(out.Start) || out.End.Before(in.End) || in.End.Before(in.Start) {
				t.Errorf("got %v to %v in %v to %v", in.Start, in.End, out.Start, out.End)
			}
		})
	}
}

func TestMetricsArriveAsTheExporterSendsThem(t *testing.T) {
	for name, compression := range map[string]otlpmetrichttp.Compression{
		"plain": otlpmetrichttp.NoCompression,
		"gzip":  otlpmetrichttp.GzipCompression,
	} {
		t.Run(name, func(t *testing.T) {
			c := oteltest.Start(t)
			exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(c.URL+"/v1/metrics"),
				otlpmetrichttp.WithCompression(compression))
			if err != nil {
				t.Fatal(err)
			}
			mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)), sdkmetric.WithResource(shop))
			defer func() { _ = mp.Shutdown(t.Context()) }()
			meter := mp.Meter("mine")
			orders, err1 := meter.Int64Counter("orders", metric.WithUnit("1"))
			took, err2 := meter.Float64Histogram("took", metric.WithUnit("ms"))
			depth, err3 := meter.Float64Gauge("depth")
			if err1 != nil || err2 != nil || err3 != nil {
				t.Fatal(err1, err2, err3)
			}
			orders.Add(t.Context(), 2, metric.WithAttributes(attribute.String("kind", "gift")))
			took.Record(t.Context(), 1.5)
			took.Record(t.Context(), 2.5)
			depth.Record(t.Context(), -3)
			if err := mp.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]oteltest.Metric)
			for _, m := range c.Metrics() {
				got[m.Name] = m
			}
			if m := got["orders"]; m.Kind != "sum" || m.Delta || m.Value != 2 || m.Unit != "1" || m.Attributes["kind"] != "gift" {
				t.Errorf("got %+v", m)
			}
			if m := got["took"]; m.Kind != "histogram" || m.Count != 2 || m.Value != 4 || m.Unit != "ms" || m.Resource["service.name"] != "shop" {
				t.Errorf("got %+v", m)
			}
			if m := got["depth"]; m.Kind != "gauge" || m.Value != -3 || m.Scope != "mine" {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestACollectorThatIsSlowTakesTheSpansWhenItIsReleased(t *testing.T) {
	c := oteltest.Start(t)
	tp := traces(t, c)
	release := c.Hold()
	_, span := tp.Tracer("mine").Start(t.Context(), "a span")
	span.End()
	flushed := make(chan error)
	go func() { flushed <- tp.ForceFlush(t.Context()) }()
	if err := c.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := len(c.Spans()); got != 0 {
		t.Errorf("got %d spans while the collector is slow, want 0", got)
	}
	release()
	release() // again is harmless
	if err := <-flushed; err != nil {
		t.Error(err)
	}
	if got := len(c.Spans()); got != 1 {
		t.Errorf("got %d spans, want 1", got)
	}
}

func TestACollectorForgetsAClientThatGivesUp(t *testing.T) {
	c := oteltest.Start(t)
	tp := traces(t, c)
	release := c.Hold()
	defer release()
	_, span := tp.Tracer("mine").Start(t.Context(), "a span")
	span.End()
	ctx, cancel := context.WithCancel(t.Context())
	flushed := make(chan error)
	go func() { flushed <- tp.ForceFlush(ctx) }()
	if err := c.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-flushed; err == nil {
		t.Error("got no error of a flush whose context ended")
	}
	c.Close() // returns, so the request that was held is over
	if got := len(c.Spans()); got != 0 {
		t.Errorf("got %d spans, want 0", got)
	}
	c.Close() // again is harmless
}

func TestACollectorThatIsDownOrBusyTakesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*oteltest.Collector)
		want string
	}{
		"down":   {set: (*oteltest.Collector).Down, want: "EOF"},
		"closed": {set: (*oteltest.Collector).Close, want: "refused"},
		"busy":   {set: func(c *oteltest.Collector) { c.Throttle(0) }, want: "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			collector := oteltest.Start(t)
			tp := traces(t, collector, noRetry)
			c.set(collector)
			_, span := tp.Tracer("mine").Start(t.Context(), "a span")
			span.End()
			if err := tp.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if got := len(collector.Spans()); got != 0 {
				t.Errorf("got %d spans, want 0", got)
			}
		})
	}
}

func TestACollectorThatIsBusySaysWhenToComeAgain(t *testing.T) {
	c := oteltest.Start(t)
	for wait, want := range map[time.Duration]string{
		0: "", time.Second: "1", 1500 * time.Millisecond: "2",
	} {
		c.Throttle(wait)
		res, _ := post(t, c.URL+"/v1/traces", "application/json", "", "{}")
		if got := res.Header.Get("Retry-After"); res.StatusCode != http.StatusTooManyRequests || got != want {
			t.Errorf("got %d with Retry-After %q, want 429 with %q", res.StatusCode, got, want)
		}
	}
	c.Accept()
	if res, _ := post(t, c.URL+"/v1/traces", "application/json", "", "{}"); res.StatusCode != http.StatusOK {
		t.Errorf("got %d when it accepts again, want 200", res.StatusCode)
	}
	c.Reset()
	if got := c.Requests(); got != 0 {
		t.Errorf("got %d requests after Reset, want 0", got)
	}
}

func TestACollectorRefusesWhatIsNotOTLP(t *testing.T) {
	c := oteltest.Start(t)
	const protobuf = "application/x-protobuf"
	for name, tt := range map[string]struct {
		path, mediaType, encoding, body string
		want                            int
	}{
		"another path":         {path: "/v1/logs", mediaType: protobuf, want: http.StatusNotFound},
		"another type":         {path: "/v1/traces", mediaType: "text/plain", want: http.StatusUnsupportedMediaType},
		"another encoding":     {path: "/v1/traces", mediaType: protobuf, encoding: "br", want: http.StatusUnsupportedMediaType},
		"not gzip":             {path: "/v1/traces", mediaType: protobuf, encoding: "gzip", body: "x", want: http.StatusBadRequest},
		"not protobuf":         {path: "/v1/traces", mediaType: protobuf, body: "\xff", want: http.StatusBadRequest},
		"not JSON":             {path: "/v1/metrics", mediaType: "application/json", body: "{", want: http.StatusBadRequest},
		"an id that is short":  {path: "/v1/traces", mediaType: "application/json", body: spanWith("abcdabcd"), want: http.StatusBadRequest},
		"an id that is no hex": {path: "/v1/traces", mediaType: "application/json", body: spanWith("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), want: http.StatusBadRequest},
		"JSON with more":       {path: "/v1/traces", mediaType: "application/json; charset=utf-8", body: `{"new":1}`, want: http.StatusOK},
	} {
		res, body := post(t, c.URL+tt.path, tt.mediaType, tt.encoding, tt.body)
		if res.StatusCode != tt.want {
			t.Errorf("%s: got %d %s, want %d", name, res.StatusCode, body, tt.want)
		}
	}
	if got := len(c.Spans()); got != 0 {
		t.Errorf("got %d spans, want 0", got)
	}
}

func spanWith(traceID string) string {
	return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"` + traceID + `","spanId":"0123456789abcdef"}]}]}]}`
}

func post(t *testing.T, url, mediaType, encoding, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Content-Encoding", encoding)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, res.Body); err != nil {
		t.Fatal(err)
	}
	return res, text.String()
}
