package otel_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// providers are what a span costs nothing with, and what it costs without an exporter.
func providers() map[string]trace.TracerProvider {
	return map[string]trace.TracerProvider{
		"noop":        noop.NewTracerProvider(),
		"SDK":         sdktrace.NewTracerProvider(),
		"SDK_unasked": sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
	}
}

// What one record costs more with Records.
func BenchmarkRecords(b *testing.B) {
	m := sqsMessage(xrayHeader, "", "")
	run := func(fn func(context.Context, events.SQSMessage) error) func(*testing.B) {
		return func(b *testing.B) {
			_, _ = guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				b.ReportAllocs()
				for b.Loop() {
					_ = fn(ctx, m)
				}
				return nil, nil
			})).Invoke(b.Context(), nil)
		}
	}
	b.Run("without", run(fine[events.SQSMessage]))
	for name, tp := range providers() {
		b.Run(name, run(otel.Records[events.SQSMessage](tp)(fine[events.SQSMessage])))
	}
}

// What one call of the SDK costs more with Instrument, where the network costs nothing.
func BenchmarkInstrument(b *testing.B) {
	cfg := awstest.Config("http://127.0.0.1:1")
	cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	})
	run := func(tp trace.TracerProvider) func(*testing.B) {
		return func(b *testing.B) {
			cfg := cfg.Copy()
			if tp != nil {
				otel.Instrument(&cfg, tp)
			}
			client := dynamodb.NewFromConfig(cfg)
			in := &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: key}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.PutItem(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("without", run(nil))
	for name, tp := range providers() {
		b.Run(name, run(tp))
	}
}
