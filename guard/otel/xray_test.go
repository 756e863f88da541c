package otel_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// The headers are those of the documents of X-Ray, of load balancers, and of the
// tests that other propagators of this header are held to.
func TestAHeaderOfXRayIsRead(t *testing.T) {
	const root, parent = "Root=1-8a3c60f7-d188f8fa79d48a391a778fa6", "Parent=53995c3f42cd8ad8"
	const id = "8a3c60f7d188f8fa79d48a391a778fa6-53995c3f42cd8ad8"
	for name, tt := range map[string]struct {
		header  string
		want    string // ids, "" if the header is ignored
		sampled bool
		again   string // what is injected without a decision since; "" if as it came
	}{
		"sampled":                   {header: root + ";" + parent + ";Sampled=1", want: id, sampled: true},
		"not sampled":               {header: root + ";" + parent + ";Sampled=0", want: id},
		"to be decided":             {header: root + ";" + parent + ";Sampled=?", want: id},
		"of no decision":            {header: root + ";" + parent, want: id},
		"in another order":          {header: parent + ";Sampled=1;" + root, want: id, sampled: true, again: root + ";" + parent + ";Sampled=1"},
		"with spaces":               {header: root + " ; " + parent + "; Sampled=1 ", want: id, sampled: true, again: root + ";" + parent + ";Sampled=1"},
		"with a lineage":            {header: root + ";" + parent + ";Sampled=0;Lineage=1:fe460cdd:0", want: id},
		"with an older lineage":     {header: root + ";" + parent + ";Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2", want: id, sampled: true},
		"of a load balancer":        {header: "Self=1-67891234-12456789abcdef012345678;" + root + ";" + parent + ";Sampled=1;CalledFrom=app", want: id, sampled: true, again: root + ";" + parent + ";Sampled=1"},
		"of a time of 0":            {header: "Root=1-00000000-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1", want: "00000000d188f8fa79d48a391a778fa6-53995c3f42cd8ad8", sampled: true},
		"empty":                     {header: ""},
		"without a parent":          {header: root + ";Sampled=1"},
		"without a root":            {header: parent + ";Sampled=1"},
		"a parent of zeros":         {header: root + ";Parent=0000000000000000;Sampled=1"},
		"a parent that is short":    {header: root + ";Parent=53995c3f42cd8ad;Sampled=1"},
		"a parent that is long":     {header: root + ";Parent=53995c3f42cd8ad800;Sampled=1"},
		"a parent that is no hex":   {header: root + ";Parent=abcdefghijklmnop;Sampled=1"},
		"a parent in capitals":      {header: root + ";Parent=53995C3F42CD8AD8;Sampled=1", want: id, sampled: true, again: root + ";" + parent + ";Sampled=1"},
		"a root of zeros":           {header: "Root=1-00000000-000000000000000000000000;" + parent + ";Sampled=1"},
		"a root that is short":      {header: "Root=1-82138-1203123;" + parent + ";Sampled=1"},
		"a root that is long":       {header: root + "00;" + parent + ";Sampled=1"},
		"a root of a long time":     {header: "Root=1-8a3c60f711-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"a root of no time":         {header: "Root=1--d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"a root without a time":     {header: "Root=1-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"a root of a short time":    {header: "Root=1-0-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"a root of version 2":       {header: "Root=2-8a3c60f7-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"a root of no version":      {header: "Root=5b00000000b000000000000000000000000;" + parent + ";Sampled=1"},
		"a root that is no hex":     {header: "Root=1-8a3c60f7-d188f8fa79d48a391a778fag;" + parent + ";Sampled=1"},
		"a root in the form of W3C": {header: "Root=8a3c60f7d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
		"sampled by nothing":        {header: root + ";" + parent + ";Sampled=", want: id, again: root + ";" + parent},
		"sampled by a letter":       {header: root + ";" + parent + ";Sampled=a", want: id, again: root + ";" + parent},
		"sampled by a number":       {header: root + ";" + parent + ";Sampled=10220", want: id, again: root + ";" + parent},
		"two roots":                 {header: root + ";Root=1-00000001-d188f8fa79d48a391a778fa6;" + parent, want: id, again: root + ";" + parent},
		"two parents":               {header: root + ";" + parent + ";Parent=53995c3f42cd8ad9", want: id, again: root + ";" + parent},
		"two decisions":             {header: root + ";" + parent + ";Sampled=0;Sampled=1", want: id, again: root + ";" + parent + ";Sampled=0"},
		"two lineages":              {header: root + ";" + parent + ";Lineage=1:a:0;Lineage=1:a:1", want: id, again: root + ";" + parent + ";Lineage=1:a:0"},
		"a lineage that is long":    {header: root + ";" + parent + ";Lineage=" + strings.Repeat("1", 257), want: id, again: root + ";" + parent},
		"a lineage of other things": {header: root + ";" + parent + ";Lineage=1:fe460cdd:0\r\nX-Admin: 1", want: id, again: root + ";" + parent},
		"names in small letters":    {header: "root=1-8a3c60f7-d188f8fa79d48a391a778fa6;" + parent + ";sampled=1", want: id, sampled: true, again: root + ";" + parent + ";Sampled=1"},
		"other names":               {header: "Route=1-8a3c60f7-d188f8fa79d48a391a778fa6;" + parent + ";Sampled=1"},
	} {
		carrier := propagation.HeaderCarrier{"X-Amzn-Trace-Id": {tt.header}}
		ctx := otel.XRay{}.Extract(t.Context(), carrier)
		sc := trace.SpanContextFromContext(ctx)
		if ids(sc) != tt.want || sc.IsSampled() != tt.sampled || sc.IsValid() && !sc.IsRemote() {
			t.Errorf("%s: got %q, sampled %t, remote %t, want %q, %t", name, ids(sc), sc.IsSampled(), sc.IsRemote(), tt.want, tt.sampled)
		}
		if tt.want == "" {
			if ctx != t.Context() {
				t.Errorf("%s: got another context, want the same", name)
			}
			continue
		}
		again := tt.again
		if again == "" {
			again = tt.header
		}
		if got := inject(ctx); got != again {
			t.Errorf("%s: got %q injected, want %q", name, got, again)
		}
	}
}

func inject(ctx context.Context) string {
	carrier := propagation.HeaderCarrier{}
	otel.XRay{}.Inject(ctx, carrier)
	return http.Header(carrier).Get("X-Amzn-Trace-Id")
}

func TestAHeaderOfXRayIsWritten(t *testing.T) {
	const lineage = ";Lineage=1:fe460cdd:0"
	own := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0x8a, 15: 1}, SpanID: trace.SpanID{7: 2}})
	const written = "Root=1-8a000000-000000000000000000000001;Parent=0000000000000002;Sampled="
	lambda := invocation(t.Context(), segment+lineage)
	extracted := otel.XRay{}.Extract(lambda, propagation.MapCarrier{
		"X-Amzn-Trace-Id": "Root=1-8a3c60f7-d188f8fa79d48a391a778fa6;Parent=53995c3f42cd8ad8;Sampled=?;Lineage=2:fe460cdd:0",
	})
	with := trace.ContextWithSpanContext
	for name, tt := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"nothing":                           {ctx: lambda},
		"sampled":                           {ctx: with(t.Context(), own.WithTraceFlags(trace.FlagsSampled)), want: written + "1"},
		"not sampled":                       {ctx: with(t.Context(), own), want: written + "0"},
		"sampled and random":                {ctx: with(t.Context(), own.WithTraceFlags(3)), want: written + "1"},
		"in an invocation":                  {ctx: with(lambda, own), want: written + "0" + lineage},
		"after an extracted one":            {ctx: with(extracted, own), want: written + "0;Lineage=2:fe460cdd:0"},
		"remote, and not what it came with": {ctx: with(extracted, own.WithRemote(true)), want: written + "0;Lineage=2:fe460cdd:0"},
	} {
		if got := inject(tt.ctx); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	if got := (otel.XRay{}).Fields(); !slices.Equal(got, []string{"X-Amzn-Trace-Id"}) {
		t.Errorf("got %q", got)
	}
}

// Any id goes to X-Ray and back.
func FuzzXRay(f *testing.F) {
	for _, header := range []string{
		segment, segment + ";Lineage=1:fe460cdd:0", "Self=1-6-1;" + segment, strings.Repeat(";", 10_000), strings.Repeat("Root=1-", 1000),
		"Root=1-ffffffff-ffffffffffffffffffffffff;Parent=ffffffffffffffff;Sampled=?", "Root=\x00é;Parent=\xff",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		ctx := otel.XRay{}.Extract(t.Context(), propagation.MapCarrier{"X-Amzn-Trace-Id": header})
		sc := trace.SpanContextFromContext(ctx)
		if !sc.IsValid() {
			if ctx != t.Context() {
				t.Fatal("got another context of a header that is not valid")
			}
			return
		}
		written := inject(ctx)
		if len(written) > 400 {
			t.Fatalf("got %d bytes", len(written))
		}
		again := otel.XRay{}.Extract(t.Context(), propagation.MapCarrier{"X-Amzn-Trace-Id": written})
		if got := trace.SpanContextFromContext(again); !got.Equal(sc) || inject(again) != written {
			t.Fatalf("got %v, %q of %q, want %v", got, inject(again), written, sc)
		}
	})
}
