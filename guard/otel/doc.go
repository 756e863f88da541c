// Package otel sends what happens in a Lambda function to OpenTelemetry: a span of
// each invocation, layer, record and AWS call, and metrics.
//
//	func main() {
//		ctx := context.Background()
//		exporter, err := otlptracehttp.New(ctx)
//		…
//		tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(
//			resource.NewSchemaless(lambdaotel.Resource()...)))
//		guard.Start(routes,
//			lambdaotel.Flush(time.Second, tp),
//			lambdaotel.Trace(tp, lambdaotel.ApartFromXRay()), // see "What is sampled"
//			httpapi.Default(log))
//	}
//
// A program imports it beside the API of OpenTelemetry, whose package is named otel
// too, by another name:
//
//	import (
//		"go.opentelemetry.io/otel"
//		lambdaotel "github.com/lambdarmor/lambdarmor/guard/otel"
//	)
//
// It is a module of its own, so that a program without it does not get
// OpenTelemetry. It links the API alone. The program brings the SDK and exporters.
//
// [Trace] makes the span of an invocation and [Flush] sends it before the answer is
// returned. [Span] makes one of a layer. [Records] makes one of each record of a
// batch. [Instrument] makes one of each call by a client of AWS. [Meter] is a meter
// for package metrics. [Resource] describes the function. [XRay] is the propagator
// for the tracing header of AWS.
//
// # What is sampled
//
// Lambda sends a [tracing header] with each invocation, and Sampled in it is what
// X-Ray has decided, or a caller whose header AWS has passed on. The SDK's sampler
// follows its parent by default. Without active tracing, which is off by default, the
// header has Sampled=0, or a Root alone. With Sampled=0 no span is sent, and nothing
// says so. With a Root alone there is no parent, and each invocation is sent.
//
// If spans go to X-Ray, turn on active tracing: all services then agree. If they go
// elsewhere, use [ApartFromXRay]. All invocations are then sampled, or what a sampler
// of your own decides:
//
//	sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.1)))
//
// # Snapshots and the end of the process
//
// With SnapStart, make the provider with [IDs]: the SDK's own ids would be the same in
// each restored copy. To send what is left when Lambda ends the process, list
// guard.OnShutdown:
//
//	guard.Start(routes, guard.OnShutdown(tp.Shutdown), lambdaotel.Flush(time.Second, tp), …)
//
// # What is not recorded
//
// A span has nothing that a caller can fill at will: no path, query, header, body,
// message, error text or value of a panic. Tracing headers of callers are ignored
// without [TrustHeaders], and headers that are not valid with it too. Names of spans
// are from the configuration of the API, the patterns of the program, and the names
// of queues, topics and streams. Only who may invoke the function directly can send
// an event with other names.
//
// The conventions for HTTP ask for url.path, which is left out for that reason. They
// know the methods of RFC 9110, PATCH and QUERY. Any other is _OTHER, and the list
// cannot be changed.
//
// [tracing header]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package otel
