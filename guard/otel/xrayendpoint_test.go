package otel_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// xrayExporter sends spans to X-Ray's OTLP endpoint, without a collector. A nil base
// is http.DefaultTransport.
func xrayExporter(ctx context.Context, cfg aws.Config, base http.RoundTripper) (sdktrace.SpanExporter, error) {
	host := "xray." + cfg.Region + ".amazonaws.com"
	signed := sigv4.Transport(base, cfg.Credentials, cfg.Region, "xray", host)
	return otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL("https://"+host+"/v1/traces"),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: signed}),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}),
	)
}

// endpoint stands in for X-Ray's, of which there is no emulator.
type endpoint struct{ requests []*http.Request }

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	e.requests = append(e.requests, r)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-protobuf"}}, Body: http.NoBody, Request: r}, nil
}

func TestSpansAreSentToXRayWithoutACollector(t *testing.T) {
	to := &endpoint{}
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "token")}
	exporter, err := xrayExporter(t.Context(), cfg, to)
	if err != nil {
		t.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	h := guard.Wrap(answer(`{}`), otel.Flush(time.Minute, tp), otel.Trace(tp))
	if _, err := h.Invoke(invocation(t.Context(), xrayHeader), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if len(to.requests) != 1 {
		t.Fatalf("got %d requests, want 1", len(to.requests))
	}
	r := to.requests[0]
	if got := r.URL.String(); got != "https://xray.eu-central-1.amazonaws.com/v1/traces" {
		t.Errorf("got a request to %s, want X-Ray's endpoint", got)
	}
	signature := r.Header.Get("Authorization")
	if !strings.HasPrefix(signature, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(signature, "/eu-central-1/xray/aws4_request,") {
		t.Errorf("got the signature %s, want one for xray", signature)
	}
	if r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("got the headers %v, want gzip and protobuf", r.Header)
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	var sent collectortrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &sent); err != nil || len(sent.GetResourceSpans()) != 1 {
		t.Errorf("got %v, %v; want the span", &sent, err)
	}
}
