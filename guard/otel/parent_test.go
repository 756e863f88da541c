package otel_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

func sends(headers ...string) []byte {
	e := sample.HTTP("GET", "/orders/7").Route("GET /orders/{id}")
	for i := 0; i < len(headers); i += 2 {
		e = e.Header(headers[i], headers[i+1])
	}
	return e.Bytes()
}

func notifies(parent string) []byte {
	return sample.Of(guard.SNS).Set("/Records/0/Sns/MessageAttributes/traceparent", map[string]any{"Type": "String", "Value": parent}).
		Set("/Records/0/Sns/MessageAttributes/baggage", map[string]any{"Type": "String", "Value": "user=7"}).Bytes()
}

// The parent of a span is X-Ray's, and that of a caller only where callers are
// trusted.
//
// SECURITY: A caller does not choose the trace.
func TestWhoseChildASpanIs(t *testing.T) {
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000001;Parent=0000000000000002;Sampled=1") // of another invocation
	const xray, w3c = xrayTrace + "-" + xraySpan, w3cTrace + "-" + w3cSpan
	caller := sends("traceparent", parentHeader, "tracestate", "vendor=1", "baggage", "user=7")
	outer := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	trust, apart := otel.TrustHeaders(), otel.ApartFromXRay()
	for name, tt := range map[string]struct {
		header  string
		within  trace.SpanContext
		payload []byte
		opts    []otel.Option
		parent  string
		links   []string
		state   string
		baggage string
	}{
		"none":                          {payload: sends()},
		"X-Ray":                         {header: segment, payload: sends(), parent: xray},
		"X-Ray, with a lineage":         {header: segment + ";Lineage=1:fe460cdd:0", payload: sends(), parent: xray},
		"a caller":                      {payload: caller},
		"a caller and X-Ray":            {header: segment, payload: caller, parent: xray},
		"a caller's header of X-Ray":    {payload: sends("x-amzn-trace-id", segment), opts: []otel.Option{trust}},
		"a trusted caller":              {payload: caller, opts: []otel.Option{trust}, parent: w3c, state: "vendor=1", baggage: "user=7"},
		"a trusted caller and X-Ray":    {header: segment, payload: caller, opts: []otel.Option{trust}, parent: w3c, links: []string{xray}, state: "vendor=1", baggage: "user=7"},
		"a trusted caller of no trace":  {header: segment, payload: sends("baggage", "user=7"), opts: []otel.Option{trust}, parent: xray, baggage: "user=7"},
		"apart from X-Ray":              {header: segment, payload: caller, opts: []otel.Option{apart}, links: []string{xray}},
		"a trusted caller, and apart":   {header: segment, payload: caller, opts: []otel.Option{apart, trust}, parent: w3c, links: []string{xray}, state: "vendor=1", baggage: "user=7"},
		"a layer outside":               {header: segment, within: outer, payload: caller, opts: []otel.Option{trust}, parent: ids(outer)},
		"a notification":                {header: segment, payload: notifies(parentHeader), parent: xray, links: []string{w3c}},
		"a trusted notification":        {payload: notifies(parentHeader), opts: []otel.Option{trust}, parent: w3c, baggage: "user=7"},
		"a trusted message of a batch":  {header: segment, payload: message("", parentHeader), opts: []otel.Option{trust}, parent: xray, links: []string{w3c}},
		"a message that SQS has marked": {payload: message(segment, parentHeader), links: []string{xray}},
	} {
		t.Run(name, func(t *testing.T) {
			tp := record(t)
			ctx := invocation(t.Context(), tt.header)
			if tt.within.IsValid() {
				ctx = trace.ContextWithSpanContext(ctx, tt.within)
			}
			var bag string
			h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				bag = baggage.FromContext(ctx).String()
				return []byte(`{"statusCode":200}`), nil
			})
			if _, err := tp.invoke(t, ctx, tt.payload, h, tt.opts...); err != nil {
				t.Fatal(err)
			}
			span := tp.only(t)
			if got := ids(span.Parent); got != tt.parent {
				t.Errorf("got parent %q, want %q", got, tt.parent)
			}
			if tt.parent != "" && span.SpanContext.TraceID() != span.Parent.TraceID() {
				t.Errorf("got trace %s of parent %s", span.SpanContext.TraceID(), span.Parent.TraceID())
			}
			if got := linked(span); !slices.Equal(got, tt.links) {
				t.Errorf("got links %q, want %q", got, tt.links)
			}
			if got := span.SpanContext.TraceState().String(); got != tt.state {
				t.Errorf("got state %q, want %q", got, tt.state)
			}
			if bag != tt.baggage {
				t.Errorf("got baggage %q, want %q", bag, tt.baggage)
			}
		})
	}
}

func message(xray, parent string) []byte {
	e := sample.Of(guard.SQS).Delete("/Records/0/attributes/AWSTraceHeader").
		Set("/Records/0/messageAttributes/traceparent", map[string]any{"dataType": "String", "stringValue": parent})
	if xray != "" {
		e = e.Set("/Records/0/attributes/AWSTraceHeader", xray)
	}
	return e.Bytes()
}

// Lambda has decided whether X-Ray has a trace, and a sampler that goes by the
// parent follows.
func TestTheDecisionOfXRayCounts(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		opts   []otel.Option
		want   int
	}{
		"sampled":            {header: segment, want: 1},
		"not sampled":        {header: strings.Replace(segment, "Sampled=1", "Sampled=0", 1), want: 0},
		"not sampled, apart": {header: strings.Replace(segment, "Sampled=1", "Sampled=0", 1), opts: []otel.Option{otel.ApartFromXRay()}, want: 1},
		"no header":          {want: 1},
	} {
		tp := record(t, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
		if _, err := tp.invoke(t, invocation(t.Context(), tt.header), []byte(`{}`), answer(`{}`), tt.opts...); err != nil {
			t.Fatal(err)
		}
		if got := len(tp.spans.GetSpans()); got != tt.want {
			t.Errorf("%s: got %d spans, want %d", name, got, tt.want)
		}
	}
}

func TestASpanHasAtMost128Links(t *testing.T) {
	tp := record(t)
	e := sample.Of(guard.SQS).Repeat(200)
	for i := range 200 {
		e = e.Set(fmt.Sprintf("/Records/%d/attributes/AWSTraceHeader", i), fmt.Sprintf("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=%016x;Sampled=1", i+1))
	}
	if _, err := tp.invoke(t, invocation(t.Context(), ""), e.Bytes(), answer(`{}`)); err != nil {
		t.Fatal(err)
	}
	span := tp.only(t)
	if len(span.Links) != 128 || span.DroppedLinks != 0 || span.Links[127].SpanContext.SpanID() != (trace.SpanID{7: 128}) {
		t.Errorf("got %d links, %d dropped, the last %v, want 128, 0 and 128", len(span.Links), span.DroppedLinks, span.Links[127].SpanContext)
	}
}

// A sender of many messages takes the place of no other.
func TestASenderIsLinkedOnce(t *testing.T) {
	tp := record(t)
	e := sample.Of(guard.SQS).Repeat(150)
	for i := range 150 {
		e = e.Set(fmt.Sprintf("/Records/%d/attributes/AWSTraceHeader", i), segment)
	}
	e = e.Set("/Records/149/attributes/AWSTraceHeader", strings.Replace(segment, xraySpan, w3cSpan, 1))
	if _, err := tp.invoke(t, invocation(t.Context(), ""), e.Bytes(), answer(`{}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := linked(tp.only(t)), []string{xrayTrace + "-" + xraySpan, xrayTrace + "-" + w3cSpan}; !slices.Equal(got, want) {
		t.Errorf("got %d links, %q, want %q", len(got), got, want)
	}
}

func TestTheHeadersOfKafkaAreLinked(t *testing.T) {
	tp := record(t)
	var bytes []int8
	for _, b := range []byte(parentHeader) {
		bytes = append(bytes, int8(b))
	}
	event := sample.Of(guard.Kafka).Set("/records/orders-0/0/headers", []any{map[string]any{"traceparent": bytes}}).Bytes()
	if _, err := tp.invoke(t, invocation(t.Context(), ""), event, answer(`{}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := linked(tp.only(t)), []string{w3cTrace + "-" + w3cSpan}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// hostile are values that no tracing header may have.
var hostile = map[string]string{
	"10 kB":            strings.Repeat("a", 10_000),
	"10 kB of members": strings.TrimSuffix(strings.Repeat("secret=1,", 1200), ","),
	"many members":     manyMembers(65),
	"not ASCII":        "sécret=\u2603\x00\xff",
	"nested":           `{"secret":{"secret":["` + strings.Repeat("[", 200) + `"]}}`,
	"a header in it":   "00-" + w3cTrace + "-" + w3cSpan + "-01\r\nsecret: 1",
	"a header twice":   parentHeader + "," + parentHeader,
	"in capitals":      strings.ToUpper(parentHeader),
	"of zeros":         "00-00000000000000000000000000000000-0000000000000000-01",
	"of version ff":    "ff-" + w3cTrace + "-" + w3cSpan + "-01",
	"of other flags":   "00-" + w3cTrace + "-" + w3cSpan + "-ff",
	"with more":        parentHeader + "-secret",
	"a broken escape":  "secret=%zz",
	"no value":         "secret",
	"X-Ray, broken":    ";Root=1-5759e988;" + segment[5:] + ";Lineage=" + strings.Repeat("1", 10_000),
}

func manyMembers(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf("secret%d=1", i)
	}
	return strings.Join(members, ",")
}

// Junk in each tracing header leaves nothing in the span, its context or what is
// sent on.
//
// SECURITY: Bounded work.
func TestJunkInTracingHeadersIsDropped(t *testing.T) {
	for name, junk := range hostile {
		event := sample.HTTP("GET", "/orders/7").Route("GET /orders/{id}").Event()
		for _, header := range []string{"traceparent", "tracestate", "baggage", "x-amzn-trace-id", "b3", "uber-trace-id"} {
			event = event.Set("/headers/"+header, junk)
		}
		queue := sample.Of(guard.SQS).Set("/Records/0/attributes/AWSTraceHeader", junk).
			Set("/Records/0/messageAttributes/traceparent", map[string]any{"dataType": "String", "stringValue": junk})
		for _, payload := range [][]byte{event.Bytes(), queue.Bytes(), notifies(junk)} {
			tp := record(t)
			h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				// The baggage of the notification is good.
				if b := baggage.FromContext(ctx); b.Len() != 0 && b.String() != "user=7" {
					t.Errorf("%s: got baggage %s, want none", name, b)
				}
				if sent := inject(ctx); len(sent) > 100 {
					t.Errorf("%s: got %d bytes sent on, want a header of its own", name, len(sent))
				}
				return []byte(`{"statusCode":200}`), nil
			})
			if _, err := tp.invoke(t, invocation(t.Context(), junk), payload, h, otel.TrustHeaders()); err != nil {
				t.Fatal(err)
			}
			span := tp.only(t)
			if span.Parent.IsValid() || len(span.Links) != 0 || span.SpanContext.TraceState().Len() != 0 {
				t.Errorf("%s: got parent %v, links %v, state %v, want none", name, span.Parent, span.Links, span.SpanContext.TraceState())
			}
			if all, err := json.Marshal(span); err != nil || strings.Contains(string(all), "secret") || len(all) > 4000 {
				t.Errorf("%s: got %v and %d bytes: %.4000s", name, err, len(all), all)
			}
		}
	}
}

// Whatever arrives, there is one span, with few and short attributes.
func FuzzTrace(f *testing.F) {
	for _, e := range sample.All() {
		f.Add(e.Bytes(), segment, parentHeader)
	}
	for _, junk := range hostile {
		f.Add(sends(), junk, junk)
		f.Add(message("", junk), junk, junk)
	}
	f.Add([]byte(`{"version":"2.0","routeKey":"GET /`+strings.Repeat("a", 1000)+`","requestContext":{"http":{"method":"GE T"},"domainName":"é"}}`), "", "")
	tp := record(f, sdktrace.WithSampler(sdktrace.AlwaysSample()))
	f.Fuzz(func(t *testing.T, payload []byte, xray, caller string) {
		if strings.HasPrefix(string(payload), "{") { // a header for a request, wherever it may be
			payload = append([]byte(`{"headers":{"traceparent":`+quoted(caller)+`,"baggage":`+quoted(caller)+`},`), payload[1:]...)
		}
		_, _ = tp.invoke(t, invocation(t.Context(), xray), payload, answer(`{"statusCode":200}`), otel.TrustHeaders())
		span := tp.only(t)
		if len(span.Name) > 300 || len(span.Links) > 129 || len(span.Attributes) > 20 {
			t.Fatalf("got name %q, %d links, %d attributes", span.Name, len(span.Links), len(span.Attributes))
		}
		for _, a := range span.Attributes {
			if text := a.Value.String(); len(text) > 300 || !utf8.ValidString(text) {
				t.Fatalf("got %s of %d bytes", a.Key, len(a.Value.String()))
			}
		}
	})
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
