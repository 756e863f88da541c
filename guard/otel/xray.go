package otel

import (
	"context"
	"encoding/hex"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// XRay is the propagator of the [tracing header] of X-Ray, for what calls AWS and
// what AWS calls:
//
//	X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
//
// The 32 digits of a trace id are those of Root without its version: 8 that X-Ray
// takes for a time, and 24 more. Parent is the span.
//
// Extract ignores a header that is not valid as a whole: without a Root or a
// Parent, with a field twice, with an id in another form. A span is sampled if
// Sampled is 1; for 0, "?" and no Sampled it is not. Inject writes what was decided
// since. If nothing was, it writes Sampled as it came.
//
// Lineage, by which Lambda finds that functions call each other in a loop, is
// kept: Inject writes the Lineage of the header that was extracted, or else of the
// header that Lambda has sent with the invocation. Other fields, such as Self of a
// load balancer, are dropped.
//
// [tracing header]: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
type XRay struct{}

var _ propagation.TextMapPropagator = XRay{}

const xrayHeader = "X-Amzn-Trace-Id"

// lambdaHeader is the key of aws-lambda-go for the tracing header in a context.
const lambdaHeader = "x-amzn-trace-id"

// Inject sets the header to the span of ctx. It does nothing without one.
func (XRay) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return
	}
	came := headerOf(ctx)
	id, sampled := sc.TraceID().String(), "0"
	switch {
	case sc.IsSampled():
		sampled = "1"
	case sc.IsRemote() && came.is(sc): // nobody has decided
		sampled = came.sampled
	}
	var b strings.Builder
	b.WriteString("Root=1-" + id[:8] + "-" + id[8:] + ";Parent=" + sc.SpanID().String())
	if sampled != "" {
		b.WriteString(";Sampled=" + sampled)
	}
	if came.lineage != "" {
		b.WriteString(";Lineage=" + came.lineage)
	}
	carrier.Set(xrayHeader, b.String())
}

// Extract returns ctx with the span of the header as a remote one, or ctx if there
// is no valid header.
func (XRay) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	h, ok := parseXRay(carrier.Get(xrayHeader))
	if !ok {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(context.WithValue(ctx, headerKey{}, h), h.spanContext())
}

// Fields returns the header that Inject sets.
func (XRay) Fields() []string { return []string{xrayHeader} }

// tracingHeader is a header of X-Ray.
type tracingHeader struct {
	trace   trace.TraceID
	span    trace.SpanID
	sampled string // "0", "1", "?", or "" if the header does not say
	lineage string
}

type headerKey struct{}

// headerOf returns the header that was extracted into ctx, or that of Lambda.
func headerOf(ctx context.Context) (h tracingHeader) {
	if h, ok := ctx.Value(headerKey{}).(tracingHeader); ok {
		return h
	}
	text, _ := ctx.Value(lambdaHeader).(string)
	h, _ = parseXRay(text)
	return h
}

func (h tracingHeader) spanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: h.trace, SpanID: h.span, TraceFlags: trace.TraceFlags(0).WithSampled(h.sampled == "1"), Remote: true,
	})
}

func (h tracingHeader) is(sc trace.SpanContext) bool {
	return h.trace == sc.TraceID() && h.span == sc.SpanID()
}

// parseXRay reads a header. All that it keeps of a text has few bytes.
func parseXRay(text string) (h tracingHeader, ok bool) {
	var seen struct{ root, parent, sampled, lineage bool }
	for field := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		var twice, valid bool
		switch name {
		case "Root":
			twice, seen.root = seen.root, true
			valid = len(value) == 35 && value[:2] == "1-" && value[10] == '-' &&
				decodeHex(h.trace[:4], value[2:10]) && decodeHex(h.trace[4:], value[11:])
		case "Parent":
			twice, seen.parent = seen.parent, true
			valid = decodeHex(h.span[:], value)
		case "Sampled":
			twice, seen.sampled = seen.sampled, true
			valid = value == "0" || value == "1" || value == "?"
			h.sampled = value
		case "Lineage":
			twice, seen.lineage = seen.lineage, true
			valid = isLineage(value)
			h.lineage = value
		default: // not of this tracer
			valid = true
		}
		if twice || !valid {
			return tracingHeader{}, false
		}
	}
	if !h.trace.IsValid() || !h.span.IsValid() {
		return tracingHeader{}, false
	}
	return h, true
}

// decodeHex decodes digits in lower case, as X-Ray and W3C write them.
func decodeHex(to []byte, digits string) bool {
	if len(digits) != hex.EncodedLen(len(to)) || strings.ToLower(digits) != digits {
		return false
	}
	_, err := hex.Decode(to, []byte(digits))
	return err == nil
}

// isLineage reports whether a text is of the forms that Lambda has sent so far:
// "1:fe460cdd:0", "037bed70:0", "a87bd80c:1|68fd508a:5". There is no document of it.
func isLineage(text string) bool {
	const longest = 256
	return text != "" && len(text) <= longest && strings.Trim(text, "0123456789abcdef:|") == ""
}
