package otel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

// TestMain runs a function in place of the tests, if a test asks for it: with the
// real runtime client, exporter and log.
func TestMain(m *testing.M) {
	if name := os.Getenv("ONE_RECORD_FUNCTION"); name != "" {
		startOneRecord(name)
	}
	if os.Getenv("RUN_EXAMPLE") != "" {
		Example()
	}
	os.Exit(m.Run())
}

func startOneRecord(name string) {
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(os.Getenv("COLLECTOR")+"/v1/traces"))
	if err != nil {
		panic(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	log := logging.New(os.Stdout)
	layers := []guard.Middleware{otel.Flush(20*time.Second, tp), otel.Trace(tp), metrics.Default(metrics.New(os.Stdout, "Shop"))}
	early := guard.Deadline(8 * time.Second) // a machine that is slow for a while does not end an invocation
	opts := []batch.Option{batch.Reserve(0), batch.FailWhenAllFail(), batch.Concurrency(4)}
	var h lambda.Handler
	switch name {
	case "http":
		guard.Start(httpapi.Func(func(ctx context.Context, _ any) (any, error) { return nil, failInItsWay(ctx, wayOf(ctx)) }),
			append(layers, httpapi.Default(log), early)...)
	case "direct":
		h = guard.Func(func(ctx context.Context, _ any) (any, error) { return nil, failInItsWay(ctx, wayOf(ctx)) })
	case "simple":
		h = authorizer.Simple(decideInItsWay)
	case "policy":
		h = authorizer.Policy(decideInItsWay, authorizer.Uncached())
	case "appsync":
		h = authorizer.AppSync(decideInItsWay)
	case "sqs":
		h = batch.SQS(batch.Chain(recordInItsWay[events.SQSMessage], otel.Records[events.SQSMessage](tp)), opts...)
	case "kinesis":
		h = batch.Kinesis(batch.Chain(recordInItsWay[events.KinesisEventRecord], otel.Records[events.KinesisEventRecord](tp)), opts...)
	case "dynamodb":
		h = batch.DynamoDB(batch.Chain(recordInItsWay[events.DynamoDBEventRecord], otel.Records[events.DynamoDBEventRecord](tp)), opts...)
	case "kafka":
		h = batch.Kafka(batch.Chain(recordInItsWay[events.KafkaRecord], otel.Records[events.KafkaRecord](tp)), opts...)
	}
	guard.Start(h, append(layers, guard.Default(log), early)...)
}

// wayOf returns the way in which an invocation is to go.
func wayOf(ctx context.Context) string {
	lc, _ := lambdacontext.FromContext(ctx)
	return lc.ClientContext.Custom["way"]
}

func failInItsWay(ctx context.Context, way string) error {
	switch way {
	case "error":
		return errors.New("hunter2")
	case "panic":
		panic("hunter2")
	case "timeout":
		<-ctx.Done()
		return ctx.Err()
	case "refusal":
		return guard.Errorf(guard.Unprocessable, "sold_out", "It is sold out.")
	default:
		return nil
	}
}

func decideInItsWay(ctx context.Context, _ *authorizer.Request) (*authorizer.Grant, error) {
	if wayOf(ctx) == "refusal" {
		return nil, guard.Errorf(guard.Unauthenticated, "token_unknown", "")
	}
	return &authorizer.Grant{Principal: "alice"}, failInItsWay(ctx, wayOf(ctx))
}

// recordInItsWay fails for the second record of a batch, and for all in a way "all …".
func recordInItsWay[R batch.Record](ctx context.Context, _ R) error {
	r, _ := batch.RecordFrom(ctx)
	way, all := strings.CutPrefix(wayOf(ctx), "all ")
	if !all && r.Index != 1 {
		return nil
	}
	return failInItsWay(ctx, way)
}

// functionFor returns the function for a sample of this name.
func functionFor(name string) string {
	trigger, variant, _ := strings.Cut(name, "/")
	switch guard.Trigger(trigger) {
	case guard.HTTPAPI, guard.FunctionURL, guard.REST, guard.VPCLattice, guard.ALB:
		return "http"
	case guard.SQS, guard.Kinesis, guard.DynamoDB, guard.Kafka:
		return trigger
	case guard.Authorizer:
		switch variant {
		case "":
			return "simple"
		case "appsync":
			return "appsync"
		}
		return "policy"
	default:
		return "direct"
	}
}

// request is one invocation and the ids that it came with.
type request struct {
	id, way, root string
	payload       []byte
}

func (r request) isBatch() bool {
	return strings.HasPrefix(r.way, "all ") || strings.HasPrefix(r.way, "one ")
}

// trace returns the 32 digits of its trace.
func (r request) trace() string { return strings.ReplaceAll(strings.TrimPrefix(r.root, "1-"), "-", "") }

// documents returns how many documents of metrics it writes: failures have one
// more, with the dimension Kind. A batch of which a part fails is answered.
func (r request) documents() int {
	if r.way == "ok" || strings.HasPrefix(r.way, "one ") {
		return 1
	}
	return 2
}

// seen is what was seen of one invocation from outside.
type seen struct {
	records   []map[string]any // of guard.Log
	ofBatch   []map[string]any // about one record of a batch
	documents []map[string]any
	spans     []oteltest.Span
	ofRecords []oteltest.Span
}

// For each trigger and each way to go there is one record, one span and one document
// of metrics, a second one for a failure, all with the same ids. Of a batch there is
// a span more for each record that has run. The runtime client prints nothing.
//
// SECURITY: Nothing leaks.
func TestOneRecordOneSpanAndOneDocumentForEachInvocation(t *testing.T) {
	collector := oteltest.Start(t)
	requests := map[string][]request{}
	n := 0
	add := func(function, name, way string, payload []byte) {
		n++
		requests[function] = append(requests[function], request{
			id: strings.NewReplacer("/", ".", " ", "-").Replace(name + " " + way), way: way, payload: payload,
			root: fmt.Sprintf("1-5759e988-%024x", n),
		})
	}
	for name, event := range sample.All() {
		function, ways := functionFor(name), []string{"ok", "error", "panic", "timeout", "refusal"}
		if slices.Contains([]string{"sqs", "kinesis", "dynamodb", "kafka"}, function) {
			event = event.Repeat(3)
			ways = []string{"ok", "one error", "one panic", "one timeout", "one refusal", "all error", "all panic", "all timeout", "all refusal"}
		}
		for _, way := range ways {
			add(function, name, way, event.Bytes())
		}
	}
	for function := range requests {
		add(function, "no JSON for "+function, "refusal", []byte(`{"a":`))
		add(function, "no event of "+function, "refusal", []byte(`[]`))
	}
	logs := map[string]string{}
	var mu sync.Mutex // guards logs
	var wg sync.WaitGroup
	for function, all := range requests {
		wg.Go(func() { // at once, as each waits for its timeouts
			log := runOneRecord(t, function, collector.URL, all)
			mu.Lock()
			defer mu.Unlock()
			logs[function] = log
		})
	}
	wg.Wait()
	spans := collector.Spans()
	for function, all := range requests {
		t.Run(function, func(t *testing.T) {
			by := map[string]*seen{}
			for _, r := range all {
				by[r.id] = &seen{}
			}
			// A process with many invocations at once is of a managed instance, whose init
			// no invocation waits for.
			if cold := readOneRecord(t, logs[function], by); cold != 0 {
				t.Errorf("got %d documents of a cold start, want none", cold)
			}
			for _, s := range spans {
				if id, ok := s.Attributes["faas.invocation_id"].(string); ok && by[id] != nil {
					by[id].spans = append(by[id].spans, s)
				}
			}
			for _, r := range all {
				by[r.id].check(t, r, spans)
			}
		})
	}
}

func runOneRecord(t *testing.T, function, collector string, all []request) string {
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
		return ""
	}
	fn, err := guardtest.NewFunction(self, guardtest.Config{
		Concurrency: 64, Timeout: 10 * time.Second, InitTimeout: 2 * time.Minute,
		Env: []string{"ONE_RECORD_FUNCTION=" + function, "COLLECTOR=" + collector},
	})
	if err != nil {
		t.Error(err)
		return ""
	}
	var wg sync.WaitGroup
	for _, r := range all {
		wg.Go(func() {
			way, _ := json.Marshal(map[string]any{"custom": map[string]string{"way": strings.TrimPrefix(r.way, "one ")}})
			_, _ = fn.Do(t.Context(), guardtest.Call{
				RequestID: r.id, Payload: r.payload, ClientContext: way, TraceID: "Root=" + r.root + ";Parent=" + xraySpan + ";Sampled=1",
			})
		})
	}
	wg.Wait()
	fn.Close() // reads the rest of the log
	return fn.Log()
}

// readOneRecord sorts the lines of a log, and returns how many documents there are
// of cold starts.
func readOneRecord(t *testing.T, log string, by map[string]*seen) (cold int) {
	if strings.Contains(log, "hunter2") {
		t.Error("got the text of an error or a panic in the log")
	}
	for line := range strings.Lines(log) {
		var l map[string]any
		err := json.Unmarshal([]byte(line), &l)
		id, _ := l["requestId"].(string)
		s := by[id]
		switch {
		case err != nil || s == nil:
			t.Errorf("got the line %s, want none that is not of an invocation", line)
		case l["_aws"] != nil && l["ColdStart"] != nil:
			cold++
		case l["_aws"] != nil:
			s.documents = append(s.documents, l)
		case l["message"] == "invocation":
			s.records = append(s.records, l)
		case l["message"] == "record failed":
			s.ofBatch = append(s.ofBatch, l)
		default:
			t.Errorf("got the line %s, want no other", line)
		}
	}
	return cold
}

func (s *seen) check(t *testing.T, r request, all []oteltest.Span) {
	t.Helper()
	if len(s.records) != 1 || len(s.spans) != 1 || len(s.documents) != r.documents() {
		t.Fatalf("%s: got %d records, %d spans and %d documents, want 1, 1 and %d", r.id, len(s.records), len(s.spans), len(s.documents), r.documents())
	}
	record, span := s.records[0], s.spans[0]
	if span.TraceID != r.trace() || span.ParentID != xraySpan {
		t.Errorf("%s: got a span of %s below %s, want %s below %s", r.id, span.TraceID, span.ParentID, r.trace(), xraySpan)
	}
	ids := map[string]any{"traceId": r.root, "trace_id": span.TraceID, "span_id": span.SpanID}
	for what, lines := range map[string][]map[string]any{"record": s.records, "document": s.documents} {
		for _, line := range lines {
			for name, want := range ids {
				if line[name] != want {
					t.Errorf("%s: got %s %v in the %s, want %v", r.id, name, line[name], what, want)
				}
			}
		}
	}
	counted := map[string]int{}
	for _, d := range s.documents {
		for _, name := range []string{"Invocations", "Faults", "Refusals", "Records", "RecordsFailed", "RecordsNotStarted"} {
			if n, ok := d[name].(float64); ok {
				counted[name] += int(n)
			}
		}
	}
	want := map[string]int{"Invocations": 1}
	level, _ := record["level"].(string)
	if r.documents() == 2 {
		want[map[string]string{"ERROR": "Faults", "WARN": "Refusals"}[level]] = 1
	}
	if (level == "INFO") != (r.documents() == 1) {
		t.Errorf("%s: got the level %s beside %d documents", r.id, level, r.documents())
	}
	if records, ok := record["records"].(float64); ok {
		failed, notStarted := record["failed"].(float64), record["notStarted"].(float64)
		for name, n := range map[string]float64{"Records": records, "RecordsFailed": failed, "RecordsNotStarted": notStarted} {
			if n > 0 {
				want[name] = int(n)
			}
		}
		s.checkRecords(t, r, all, int(records-notStarted), int(failed))
	} else if r.isBatch() {
		t.Errorf("%s: got no counts in the record", r.id)
	}
	if !maps.Equal(counted, want) {
		t.Errorf("%s: got the metrics %v, want %v", r.id, counted, want)
	}
}

// checkRecords checks the spans of the records of a batch, and what is logged about
// those that failed.
func (s *seen) checkRecords(t *testing.T, r request, all []oteltest.Span, ran, failed int) {
	t.Helper()
	failures := map[string]bool{} // by span
	for _, span := range all {
		if span.TraceID != s.spans[0].TraceID || span.SpanID == s.spans[0].SpanID {
			continue
		}
		if s.ofRecords = append(s.ofRecords, span); span.ParentID != s.spans[0].SpanID {
			t.Errorf("%s: got the span of a record below %s, want that of the invocation", r.id, span.ParentID)
		}
		if span.Attributes["error.type"] != nil {
			failures[span.SpanID] = true
		}
	}
	if len(s.ofRecords) != ran || len(failures) != failed || len(s.ofBatch) != failed {
		t.Errorf("%s: got %d spans of records, %d of them failed, and %d lines about these; want %d, %d and %d",
			r.id, len(s.ofRecords), len(failures), len(s.ofBatch), ran, failed, failed)
	}
	for _, line := range s.ofBatch {
		id, _ := line["span_id"].(string)
		if line["trace_id"] != s.spans[0].TraceID || !failures[id] {
			t.Errorf("%s: got trace_id %v and span_id %v about a record, want those of its span", r.id, line["trace_id"], id)
		}
	}
}
