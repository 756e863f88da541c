package oteltest

import (
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A Span is one that a collector has received. The ids are hexadecimal, of 32 and
// 16 digits. An attribute is a string, bool, int64, float64, []byte, []any, or
// map[string]any.
type Span struct {
	TraceID    string
	SpanID     string
	ParentID   string // "" for the root of a trace
	TraceState string
	Name       string
	Kind       trace.SpanKind
	Start, End time.Time
	Attributes map[string]any
	Events     []Event
	Links      []Link

	Status        codes.Code
	StatusMessage string

	Resource map[string]any // of the program that sent the span
	Scope    string         // the name of the tracer
	Version  string         // of the tracer
}

// An Event is something that happened in a span.
type Event struct {
	Name       string
	Time       time.Time
	Attributes map[string]any
}

// A Link is a span that another one points to.
type Link struct {
	TraceID    string
	SpanID     string
	TraceState string
	Attributes map[string]any
}

func (c *Collector) takeTraces(body []byte, enc encoding) error {
	var req collector.ExportTraceServiceRequest
	if err := decode(body, enc, &req); err != nil {
		return err
	}
	var spans []Span
	for _, rs := range req.GetResourceSpans() {
		resource := attributes(rs.GetResource().GetAttributes())
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				span, err := spanOf(s, enc)
				if err != nil {
					return err
				}
				span.Resource = resource
				span.Scope, span.Version = ss.GetScope().GetName(), ss.GetScope().GetVersion()
				spans = append(spans, span)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, spans...)
	return nil
}

func spanOf(s *otlp.Span, enc encoding) (span Span, err error) {
	span = Span{
		TraceState: s.GetTraceState(),
		Name:       s.GetName(),
		Kind:       trace.SpanKind(s.GetKind()), // the same numbers
		Start:      instant(s.GetStartTimeUnixNano()),
		End:        instant(s.GetEndTimeUnixNano()),
		Attributes: attributes(s.GetAttributes()),

		StatusMessage: s.GetStatus().GetMessage(),
	}
	switch s.GetStatus().GetCode() {
	case otlp.Status_STATUS_CODE_OK:
		span.Status = codes.Ok
	case otlp.Status_STATUS_CODE_ERROR:
		span.Status = codes.Error
	}
	if span.TraceID, err = id(s.GetTraceId(), 16, enc); err != nil {
		return Span{}, err
	}
	if span.SpanID, err = id(s.GetSpanId(), 8, enc); err != nil {
		return Span{}, err
	}
	if span.ParentID, err = id(s.GetParentSpanId(), 8, enc); err != nil {
		return Span{}, err
	}
	for _, e := range s.GetEvents() {
		span.Events = append(span.Events, Event{
			Name: e.GetName(), Time: instant(e.GetTimeUnixNano()), Attributes: attributes(e.GetAttributes()),
		})
	}
	for _, l := range s.GetLinks() {
		link := Link{TraceState: l.GetTraceState(), Attributes: attributes(l.GetAttributes())}
		if link.TraceID, err = id(l.GetTraceId(), 16, enc); err != nil {
			return Span{}, err
		}
		if link.SpanID, err = id(l.GetSpanId(), 8, enc); err != nil {
			return Span{}, err
		}
		span.Links = append(span.Links, link)
	}
	return span, nil
}

func instant(nanoseconds uint64) time.Time {
	return time.Unix(0, int64(nanoseconds)).UTC()
}

func attributes(all []*common.KeyValue) map[string]any {
	m := make(map[string]any, len(all))
	for _, kv := range all {
		m[kv.GetKey()] = value(kv.GetValue())
	}
	return m
}

func value(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_BytesValue:
		return v.BytesValue
	case *common.AnyValue_ArrayValue:
		values := []any{}
		for _, element := range v.ArrayValue.GetValues() {
			values = append(values, value(element))
		}
		return values
	case *common.AnyValue_KvlistValue:
		return attributes(v.KvlistValue.GetValues())
	default:
		return nil
	}
}
