package otel_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
)

// There is no transport in this package: outgoing.Transport sends the span of the
// invocation or of the record, and otelhttp makes one of the request and sends that,
// whichever of them stands outside.
func TestARequestSendsTheSpanItIsMadeIn(t *testing.T) {
	tp, spans := recorded(t)
	sent := make(chan []string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent <- r.Header.Values("Traceparent") }))
	defer server.Close()
	traced := func(base http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(base, otelhttp.WithTracerProvider(tp), otelhttp.WithPropagators(propagation.TraceContext{}))
	}
	own := outgoing.Hosts("127.0.0.1")
	for _, c := range []struct {
		name      string
		transport http.RoundTripper
		inRecord  bool
		want      string // the span that is sent
	}{
		{name: "outgoing", transport: outgoing.Transport(nil, own), want: "invocation"},
		{name: "outgoing in a record", transport: outgoing.Transport(nil, own), inRecord: true, want: "process orders"},
		{name: "otelhttp around outgoing", transport: traced(outgoing.Transport(nil, own)), want: "HTTP GET"},
		{name: "outgoing around otelhttp", transport: outgoing.Transport(traced(http.DefaultTransport), own), want: "HTTP GET"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spans.Reset()
			client := &http.Client{Transport: c.transport}
			get := func(ctx context.Context, _ events.SQSMessage) error {
				r, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
				resp, err := client.Do(r)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			}
			h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { return nil, get(ctx, events.SQSMessage{}) })
			if c.inRecord {
				h = guard.HandlerFunc(batch.SQS(batch.Chain(get, otel.Records[events.SQSMessage](tp))).Invoke)
			}
			if _, err := guard.Wrap(h, around(tp)).Invoke(t.Context(), manyMessages(t, 1, nil)); err != nil {
				t.Fatal(err)
			}
			var span sdktrace.ReadOnlySpan
			for _, s := range spans.Ended() {
				if s.Name() == c.want {
					span = s
				}
			}
			if span == nil {
				t.Fatalf("got no span %s", c.want)
			}
			want := fmt.Sprintf("00-%s-%s-01", span.SpanContext().TraceID(), span.SpanContext().SpanID())
			if got := <-sent; len(got) != 1 || got[0] != want {
				t.Errorf("got %v, want one %s of %s", got, want, c.want)
			}
		})
	}
}
