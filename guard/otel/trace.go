package otel

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Trace makes a span of each invocation, by the conventions for [functions],
// [Lambda], [HTTP] and [messaging]. Its name is one of few:
//
//	GET /orders/{id}   of an HTTP request, by the pattern of a router or the gateway
//	GET                of one that has no route but $default
//	HTTP               of one with a method that HTTP does not have
//	process orders     of what a queue, topic or stream sends
//	place-order        the name of the function, of anything else
//
// A span has the request id of the invocation, its trigger, the function's ARN, and
// whether it was a cold start. It has method, route and status of a request, and
// system, name and number of messages. It never has a path, a query, a header, a
// body, or the text of an error. Besides those of the conventions it has
//
//	lambdarmor.refusal            the code of an error that is the client's
//	lambdarmor.idempotent_replay  true for an answer that was stored
//	lambdarmor.correlation_id     of [guard.Correlate]
//	lambdarmor.tenant_id          of a function with tenants
//	lambdarmor.records_failed     and other counts of [layer.Count]
//
// error.type is the code of an error, "panic" of a panic, and the status if there is
// no error. A span is marked as an error for a status of 500 and above, for what
// Lambda has to send again, and for any other failure that is not the client's.
//
// The parent is the segment of X-Ray, by the header that Lambda sends with the
// invocation, unless a layer outside has made a span. [TrustHeaders] and
// [ApartFromXRay] change that. Of messages the span has a link to each sender, up to
// 128: by the header that SQS has stored with a message, or else by its attribute
// or header traceparent. A link decides nothing, so anyone may send one.
//
// The log of an invocation has the ids of the span as trace_id and span_id. If the
// provider is one of package noop, no span is made and only the parent goes on in
// the context.
//
// List Trace after [Flush] and before all layers that answer, so that the span has
// the answer. Trace panics if tp is nil.
//
// [functions]: https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/
// [Lambda]: https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/
// [HTTP]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
// [messaging]: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#consumer-spans
func Trace(tp trace.TracerProvider, opts ...Option) guard.Middleware {
	t := &tracing{
		config: configOf(opts),
		tracer: tracerOf("Trace", tp),
		name:   cmp.Or(lambdacontext.FunctionName, "invocation"),
	}
	_, t.idle = t.tracer.(noop.Tracer)
	return layer.Named("otel.Trace", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			return t.invoke(ctx, payload, next)
		})
	})
}

type tracing struct {
	config
	tracer trace.Tracer
	name   string // of the function
	idle   bool   // nothing is recorded
}

func (t *tracing) invoke(ctx context.Context, payload []byte, next lambda.Handler) (out []byte, err error) {
	ctx, links := t.parent(ctx, payload)
	if t.idle {
		if t.trust { // the trace of the caller goes on without a span of its own
			setTrace(ctx, trace.SpanContextFromContext(ctx))
		}
		return next.Invoke(ctx, payload)
	}
	ev := guard.EventOf(ctx, payload)
	what := triggeredBy(ev)
	name, attrs := t.start(ctx, ev, what)
	parent := trace.SpanContextFromContext(ctx)
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(what.kind), trace.WithAttributes(attrs...), trace.WithLinks(links...))
	finished := false
	defer func() { end(span, finished) }()
	setTrace(ctx, span.SpanContext())
	if span.IsRecording() {
		addSource(span, ev, what, parent)
	}
	if out, err = next.Invoke(ctx, payload); span.IsRecording() {
		finish(span, what, layer.OutcomeOf(ctx, payload, out, err), err)
		span.SetAttributes(optional("lambdarmor.correlation_id", guard.CorrelationID(ctx))...)
	}
	finished = true
	return out, err
}

// start returns the name of the span and what a sampler may want to know.
func (t *tracing) start(ctx context.Context, ev *guard.Event, what triggered) (name string, attrs []attribute.KeyValue) {
	attrs = append(make([]attribute.KeyValue, 0, 16), what.faas, semconv.FaaSColdstart(guard.ColdStart(ctx)))
	attrs = appendIdentity(attrs, ctx)
	switch {
	case ev.Trigger().IsHTTP():
		r, _ := ev.Request() // of a refused event, as far as it is known
		return httpName(r.Method(), httpRoute(r.RouteKey())), httpAttributes(attrs, r)
	case what.system != "":
		return process, append(attrs, semconv.MessagingSystemKey.String(what.system),
			semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName(process))
	default:
		return t.name, attrs
	}
}

// process is the operation on messages that a function is for.
const process = "process"

// processOf returns the name of a span of messages. It has the order of the page on
// messaging spans. That on Lambda has "orders process" in its text and "process orders"
// in its example.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/messaging/messaging-spans.md#span-name
func processOf(destination string) string {
	if destination == "" {
		return process
	}
	return process + " " + destination
}

// addSource adds where the records of an event come from, which is not read for a
// span that is not recorded.
func addSource(span trace.Span, ev *guard.Event, what triggered, parent trace.SpanContext) {
	s := sourceOf(ev)
	span.SetAttributes(s.attributes(what)...)
	for _, l := range s.links {
		if !l.SpanContext.Equal(parent) { // of a trusted notification
			span.AddLink(l)
		}
	}
	if what.system != "" {
		span.SetName(processOf(s.name()))
	}
}

// finish adds what became of the invocation. The error that the next handler has
// returned is returned; that of the outcome may also have become an answer.
func finish(span trace.Span, what triggered, o layer.Outcome, returned error) {
	if o.Trigger.IsHTTP() {
		if route := httpRoute(o.Route); route != "" {
			span.SetName(httpName(o.Method, route))
			span.SetAttributes(semconv.HTTPRoute(route))
		}
		if o.Status != 0 {
			span.SetAttributes(semconv.HTTPResponseStatusCode(o.Status))
		}
	}
	for name, n := range o.Counts {
		span.SetAttributes(attribute.Int("lambdarmor."+snake(name), n))
	}
	if o.Counts[layer.Replays] > 0 {
		span.SetAttributes(attribute.Bool("lambdarmor.idempotent_replay", true))
	}
	code := strconv.Itoa(o.Status)
	if o.Err != nil {
		code = guard.Public(o.Err).Code
	}
	switch {
	case hasFailed(what, o, returned):
		fail(span, code)
	case o.Err != nil:
		span.SetAttributes(attribute.String("lambdarmor.refusal", clipped(code)))
	}
}

// hasFailed reports whether the conventions count an outcome as an error: of a
// server not that of its client, and of a consumer, which has nobody to answer, each
// that it returns.
func hasFailed(what triggered, o layer.Outcome, returned error) bool {
	switch {
	case o.Trigger.IsHTTP():
		return o.Status >= 500 || o.Status == 0 && o.Err != nil
	case what.kind == trace.SpanKindConsumer:
		return returned != nil
	default:
		return o.Err != nil && !guard.KindOf(o.Err).IsClientError()
	}
}

func setTrace(ctx context.Context, sc trace.SpanContext) {
	if sc.IsValid() {
		layer.SetTrace(ctx, sc.TraceID().String(), sc.SpanID().String(), sc.IsSampled())
	}
}

// end ends a span. A call that has not finished has panicked, or has called
// runtime.Goexit, which both go on by themselves. It must not be deferred itself:
// the End of the SDK would find the panic, and put its value into the span.
func end(span trace.Span, finished bool) {
	if !finished {
		fail(span, "panic")
	}
	span.End()
}

// fail marks a span as an error. The description of the status stays empty: the
// text of an error may quote a caller.
func fail(span trace.Span, code string) {
	span.SetStatus(codes.Error, "")
	span.SetAttributes(semconv.ErrorTypeKey.String(clipped(code)))
}

// appendIdentity appends which invocation of which function it is.
func appendIdentity(attrs []attribute.KeyValue, ctx context.Context) []attribute.KeyValue {
	lc := invocation.Of(ctx).Lambda // the layer is in a chain
	attrs = append(attrs, optional(semconv.FaaSInvocationIDKey, lc.AwsRequestID)...)
	attrs = append(attrs, optional("lambdarmor.tenant_id", lc.TenantID)...)
	// arn:aws:lambda:us-east-1:123456789012:function:orders:live
	parts := strings.Split(lc.InvokedFunctionArn, ":")
	if len(parts) < 7 || parts[0] != "arn" {
		return attrs
	}
	resource := lc.InvokedFunctionArn
	if len(parts) == 8 && lambdacontext.FunctionVersion != "" { // an alias, behind which versions change
		resource = strings.Join(parts[:7], ":") + ":" + lambdacontext.FunctionVersion
	}
	return append(attrs, semconv.CloudResourceID(resource), semconv.AWSLambdaInvokedARN(lc.InvokedFunctionArn), semconv.CloudAccountID(parts[4]))
}

// snake returns "records_failed" for "RecordsFailed".
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
