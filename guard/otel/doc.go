// Package otel records invocations of Lambda functions as spans and metrics of
// OpenTelemetry.
package otel
