// Package oteltest is an OpenTelemetry collector for tests: it receives the spans
// and metrics that a program exports, and can be slow, down or busy.
//
//	collector := oteltest.Start(t)
//	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector.URL+"/v1/traces"))
//	…
//	for _, span := range collector.Spans() {
//
// It speaks [OTLP/HTTP] with bodies of protobuf or JSON, plain or compressed with
// gzip, as the exporters of OpenTelemetry send it. It keeps all that it receives in
// memory, so it is for tests and not for use in a real environment.
//
// [OTLP/HTTP]: https://opentelemetry.io/docs/specs/otlp/#otlphttp
package oteltest
