package otel

import (
	"reflect"
	"runtime/debug"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope names this package as the one that makes spans and metrics.
const scope = "github.com/lambdarmor/lambdarmor/guard/otel"

// tracerOf returns the tracer that all spans of this package are made with. It
// panics if tp is nil, in the name of f.
func tracerOf(f string, tp trace.TracerProvider) trace.Tracer {
	if isNil(tp) {
		panic("otel: " + f + " with a nil TracerProvider")
	}
	return tp.Tracer(scope, trace.WithInstrumentationVersion(version()), trace.WithSchemaURL(semconv.SchemaURL))
}

// version returns the version of this module in the program, "" if it is not known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == scope {
			return m.Version
		}
	}
	return ""
}

// isNil reports whether there is no provider, or a nil pointer to one.
func isNil(provider any) bool {
	v := reflect.ValueOf(provider)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}
