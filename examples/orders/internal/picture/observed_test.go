package picture_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

const goodOrder = `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`

// A visit is one request of the picture, with what is known of it beforehand.
type visit struct {
	request, note string
	status        int
	answer        gateway.Answer
	trail         *trail

	spans    []string // each with its parent's name in front: "handler > DynamoDB.GetItem Orders"
	replayed bool
}

// visitShop places an order, sends it again, and looks it up.
func visitShop(t *testing.T) []visit {
	t.Helper()
	d := deploy(t, guardtest.Config{}, "")
	visits := []visit{
		{
			request: "POST /orders", note: "with Idempotency-Key: k-1", status: 201,
			spans: []string{
				"POST /orders",
				"POST /orders > DynamoDB.PutItem Keys",
				"POST /orders > handler",
				"POST /orders > DynamoDB.TransactWriteItems Keys Orders",
			},
		},
		{
			request: "POST /orders", note: "again with k-1: the answer is replayed, no order is written", status: 201,
			replayed: true,
			spans: []string{
				"POST /orders",
				"POST /orders > DynamoDB.PutItem Keys",
			},
		},
		{
			request: "GET /orders/{id}", note: "looks the order up", status: 200,
			spans: []string{
				"GET /orders/{id}",
				"GET /orders/{id} > handler",
				"handler > DynamoDB.GetItem Orders",
			},
		},
	}
	var ids []string
	for i := range visits {
		v := &visits[i]
		header, id := traced()
		ids = append(ids, id)
		method, path, _ := strings.Cut(v.request, " ")
		body := ""
		if method == "POST" {
			body = goodOrder
		} else {
			path = visits[0].answer.Header.Get("Location")
		}
		v.answer = d.Do(method, path, body, "Idempotency-Key", "k-1", "X-Amzn-Trace-Id", header)
	}
	if n := d.placed(t); n != 1 {
		t.Errorf("%d orders are placed, want 1", n)
	}
	trails := d.end(t)
	for i, id := range ids {
		if visits[i].trail = trails[id]; visits[i].trail == nil {
			t.Fatalf("nothing is recorded of %s in the trace %s; the log is\n%s", visits[i].request, id, d.log)
		}
	}
	return visits
}

// summary returns the spans in the order of their starts, each with its parent and
// its tables.
func (tr *trail) summary() (spans []string) {
	all := slices.Clone(tr.spans)
	slices.SortStableFunc(all, func(a, b oteltest.Span) int { return a.Start.Compare(b.Start) })
	for _, s := range all {
		text := s.Name
		for _, parent := range all {
			if parent.SpanID == s.ParentID {
				text = parent.Name + " > " + text
			}
		}
		tables, _ := s.Attributes["aws.dynamodb.table_names"].([]any)
		for _, table := range tables {
			text += " " + fmt.Sprint(table)
		}
		spans = append(spans, text)
	}
	return spans
}

// server returns the span of the invocation.
func (tr *trail) server() oteltest.Span {
	for _, s := range tr.spans {
		if s.Kind == trace.SpanKindServer {
			return s
		}
	}
	return oteltest.Span{}
}

// check compares what was recorded of one request: all of it has the same ids.
func (tr *trail) check(t *testing.T, route string, status int, replayed bool) {
	t.Helper()
	server := tr.server()
	request := fmt.Sprint(server.Attributes["faas.invocation_id"])
	if server.Name != route || fmt.Sprint(server.Attributes["http.response.status_code"]) != fmt.Sprint(status) {
		t.Errorf("the server's span is %s with %v, want %s with %d", server.Name, server.Attributes, route, status)
	}
	if got := server.Attributes["lambdarmor.idempotent_replay"] == true; got != replayed {
		t.Errorf("the server's span is marked as a replay: %t, want %t", got, replayed)
	}
	for _, s := range tr.spans {
		isCall := strings.HasPrefix(s.Name, "DynamoDB.")
		if isCall != (s.Kind == trace.SpanKindClient) || isCall && s.Start.Before(server.Start) || s.End.After(server.End) {
			t.Errorf("the span %s of kind %s is not within the server's", s.Name, s.Kind)
		}
	}
	if len(tr.records) != 1 {
		t.Fatalf("%d log records, want 1: %v", len(tr.records), tr.records)
	}
	record := tr.records[0]
	for name, want := range map[string]string{
		"requestId": request, "span_id": server.SpanID, "route": route, "status": fmt.Sprint(status),
	} {
		if got := record.value(name); got != want {
			t.Errorf("%s of the log record is %q, want %q", name, got, want)
		}
	}
	document := tr.document()
	if got := document.value("requestId"); got != request {
		t.Errorf("requestId of the metrics document is %q, want %q", got, request)
	}
	if got := document.value("Replays") == "1"; got != replayed {
		t.Errorf("the metrics document has a replay: %t, want %t: %s", got, replayed, document.text)
	}
	if invocations := document.value("Invocations"); invocations != "1" {
		t.Errorf("the metrics document has %q invocations, want 1", invocations)
	}
}

// document is the one of the invocation. A cold start has another.
func (tr *trail) document() line {
	for _, d := range tr.documents {
		if d.values["Invocations"] != nil {
			return d
		}
	}
	return line{}
}

func TestARequestIsOneTraceOneRecordAndOneDocument(t *testing.T) {
	for i, v := range visitShop(t) {
		t.Run(fmt.Sprint(i+1, " ", v.request), func(t *testing.T) {
			if v.answer.Status != v.status {
				t.Errorf("got status %d, want %d: %s", v.answer.Status, v.status, v.answer.Body)
			}
			if got := v.answer.Header.Get("Idempotent-Replayed") == "true"; got != v.replayed {
				t.Errorf("the answer is replayed: %t, want %t", got, v.replayed)
			}
			if got := v.trail.summary(); !slices.Equal(got, v.spans) {
				t.Errorf("got spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(v.spans, "\n"))
			}
			v.trail.check(t, v.request, v.status, v.replayed)
		})
	}
}

// Sixty-four orders at once: each has its own trace, and DynamoDB gets the ids of
// that trace with the order of that customer.
func TestSixtyFourOrdersAtOnce(t *testing.T) {
	const n = 64
	d := deploy(t, guardtest.Config{Concurrency: n}, "-64")
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			header, id := traced()
			ids[i] = id
			body := strings.Replace(goodOrder, "c-42", fmt.Sprint("c-", i), 1)
			if got := d.Do("POST", "/orders", body, "Idempotency-Key", fmt.Sprint("k-", i), "X-Amzn-Trace-Id", header); got.Status != 201 {
				t.Errorf("order %d: got %d %s", i, got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	if placed := d.placed(t); placed != n {
		t.Errorf("%d orders are placed, want %d", placed, n)
	}
	written := d.written()
	trails := d.end(t)
	want := []string{
		"POST /orders", "POST /orders > DynamoDB.PutItem Keys-64", "POST /orders > handler",
		"POST /orders > DynamoDB.TransactWriteItems Keys-64 Orders-64",
	}
	for i, id := range ids {
		tr := trails[id]
		if tr == nil {
			t.Errorf("nothing is recorded of order %d", i)
			continue
		}
		if got := tr.summary(); !slices.Equal(got, want) {
			t.Errorf("order %d has spans %q", i, got)
		}
		tr.check(t, "POST /orders", 201, false)
		if got := written[fmt.Sprint("c-", i)]; got != id {
			t.Errorf("the order of c-%d is written in the trace %q, want %q", i, got, id)
		}
	}
}

// Without a collector nothing is sent, and the log has trace ids all the same.
func TestWithoutACollector(t *testing.T) {
	d := deploy(t, guardtest.Config{Env: []string{"AWS_SAM_LOCAL=true"}}, "-alone", "OTEL_EXPORTER_OTLP_ENDPOINT=")
	header, id := traced()
	if got := d.Do("POST", "/orders", goodOrder, "Idempotency-Key", "k-1", "X-Amzn-Trace-Id", header); got.Status != 201 {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	trails := d.end(t)
	if n := d.collector.Requests(); n != 0 {
		t.Errorf("%d requests to the collector, want 0", n)
	}
	if tr := trails[id]; tr == nil || len(tr.records) != 1 {
		t.Errorf("the log has not one record of the trace %s:\n%s", id, d.log)
	}
}
