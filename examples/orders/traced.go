//go:build otel

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// reserve is how long an answer may wait for its spans to be sent.
const reserve = 500 * time.Millisecond

// observe traces each invocation, each function and each call of AWS, and writes
// metrics.
func observe(ctx context.Context) (observed, error) {
	tp, err := tracerProvider(ctx)
	if err != nil {
		return observed{}, err
	}
	return observed{
		outer: guard.Chain(
			otel.Flush(reserve, tp),
			otel.Trace(tp),
			metrics.Default(metrics.New(os.Stdout, "Orders")),
		),
		inner:  otel.Span(tp, "handler", func(next lambda.Handler) lambda.Handler { return next }),
		client: func(cfg *aws.Config) { otel.Instrument(cfg, tp) },
	}, nil
}

// tracerProvider sends spans to OTEL_EXPORTER_OTLP_ENDPOINT: a collector, or AWS.
// Without that nothing is sent, and log records have trace ids all the same.
//
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/
func tracerProvider(ctx context.Context) (*sdk.TracerProvider, error) {
	options := []sdk.TracerProviderOption{sdk.WithResource(resource.NewSchemaless(otel.Resource()...))}
	if endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); endpoint != "" {
		client, err := clientFor(ctx, endpoint, nil)
		if err != nil {
			return nil, fmt.Errorf("send spans: %w", err)
		}
		exporter, err := otlptracehttp.New(ctx,
			otlptracehttp.WithHTTPClient(client),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})) // an answer waits for it
		if err != nil {
			return nil, fmt.Errorf("send spans: %w", err)
		}
		options = append(options, sdk.WithBatcher(exporter))
	}
	return sdk.NewTracerProvider(options...), nil
}

// clientFor returns a client that signs what it sends to X-Ray. base may be nil.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-opentelemetry.html
func clientFor(ctx context.Context, endpoint string, base http.RoundTripper) (*http.Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	if !strings.HasPrefix(host, "xray.") || !strings.Contains(host, ".amazonaws.com") {
		return &http.Client{Transport: base}, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: sigv4.Transport(base, cfg.Credentials, cfg.Region, "xray", host)}, nil
}
