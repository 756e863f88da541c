package otel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// The name, the kind and the attributes of a span are those of the conventions for
// its trigger.
func TestASpanIsNamedByItsTrigger(t *testing.T) {
	const https, ok, http = "url.scheme=https", "http.response.status_code=200", "faas.trigger=http"
	domain := "server.address=" + sample.HTTP("GET", "/").Event().Get("/requestContext/domainName").(string)
	consumes := func(more ...string) []string {
		return append(more, "faas.trigger=pubsub", "messaging.operation.type=process", "messaging.operation.name=process")
	}
	for name, tt := range map[string]struct {
		event []byte
		name  string
		kind  trace.SpanKind
		attrs []string
	}{
		"an HTTP API": {
			event: sample.HTTP("GET", "/orders/7?secret=1").Route("GET /orders/{id}").Bytes(),
			name:  "GET /orders/{id}", kind: trace.SpanKindServer,
			attrs: []string{http, https, ok, domain, "http.request.method=GET", "http.route=/orders/{id}"},
		},
		"an HTTP API, any method": {
			event: sample.HTTP("PUT", "/orders/7").Route("ANY /orders/{id}").Bytes(),
			name:  "PUT /orders/{id}", kind: trace.SpanKindServer,
			attrs: []string{http, https, ok, domain, "http.request.method=PUT", "http.route=/orders/{id}"},
		},
		"an HTTP API, no route": {
			event: sample.HTTP("POST", "/orders/7").Route("$default").Bytes(),
			name:  "POST", kind: trace.SpanKindServer,
			attrs: []string{http, https, ok, domain, "http.request.method=POST"},
		},
		"an HTTP API, an unknown method": {
			event: sample.HTTP("GET", "/orders/7").Route("$default").Event().Set("/requestContext/http/method", "PURGE").Bytes(),
			name:  "HTTP", kind: trace.SpanKindServer,
			attrs: []string{http, https, ok, domain, "http.request.method=_OTHER", "http.request.method_original=PURGE"},
		},
		"an HTTP API, what is no method": {
			event: sample.HTTP("GET", "/orders/7").Route("$default").Event().Set("/requestContext/http/method", strings.Repeat("Ä ", 5000)).Bytes(),
			name:  "HTTP", kind: trace.SpanKindServer,
			attrs: []string{http, https, ok, domain, "http.request.method=_OTHER"},
		},
		"a REST API": {
			event: sample.HTTP("GET", "/orders/7").REST().Route("GET /orders/{id}").Bytes(),
			name:  "GET /orders/{id}", kind: trace.SpanKindServer,
			attrs: []string{
				http, https, ok, "http.request.method=GET", "http.route=/orders/{id}",
				"server.address=" + sample.HTTP("GET", "/").REST().Event().Get("/requestContext/domainName").(string),
			},
		},
		"a function URL": {
			event: sample.HTTP("GET", "/orders/7").FunctionURL().Bytes(),
			name:  "GET", kind: trace.SpanKindServer,
			attrs: []string{
				http, https, ok, "http.request.method=GET",
				"server.address=" + sample.HTTP("GET", "/").FunctionURL().Event().Get("/requestContext/domainName").(string),
			},
		},
		"a load balancer": {
			event: sample.Of(guard.ALB).Set("/headers/x-forwarded-proto", "http").Set("/headers/host", "evil.example").Bytes(),
			name:  sample.Of(guard.ALB).Get("/httpMethod").(string), kind: trace.SpanKindServer,
			attrs: []string{http, ok, "url.scheme=http", "http.request.method=" + sample.Of(guard.ALB).Get("/httpMethod").(string)},
		},
		"a service network": {
			event: sample.HTTP("GET", "/orders/7").VPCLattice().Header("x-forwarded-proto", "http").Bytes(),
			name:  "GET", kind: trace.SpanKindServer,
			attrs: []string{http, ok, "http.request.method=GET"},
		},
		"SQS": {
			event: sample.Of(guard.SQS).Repeat(3).Bytes(), name: "process orders", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_sqs", "messaging.destination.name=orders", "messaging.batch.message_count=3"),
		},
		"SQS, two queues": {
			event: sample.Of(guard.SQS).Repeat(2).Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:others").Bytes(),
			name:  "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_sqs", "messaging.batch.message_count=2"),
		},
		"SQS, a queue that cannot be": {
			event: sample.Of(guard.SQS).Set("/Records/0/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:or ders").Bytes(),
			name:  "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_sqs", "messaging.batch.message_count=1"),
		},
		"SQS, not a queue of AWS": {
			event: sample.Of(guard.SQS).Set("/Records/0/eventSourceARN", "orders").Bytes(),
			name:  "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_sqs", "messaging.batch.message_count=1"),
		},
		"SQS, a FIFO queue": {
			event: sample.Of(guard.SQS, "fifo").Bytes(),
			name:  "process orders.fifo", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_sqs", "messaging.destination.name=orders.fifo", "messaging.batch.message_count=1"),
		},
		"SNS": {
			event: sample.Of(guard.SNS).Bytes(), name: "process orders", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws.sns", "messaging.destination.name=orders"),
		},
		"Kafka": {
			event: sample.Of(guard.Kafka).Bytes(), name: "process orders", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=kafka", "messaging.destination.name=orders", "messaging.batch.message_count=1"),
		},
		"Kinesis": {
			event: sample.Of(guard.Kinesis).Bytes(), name: "process orders", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_kinesis", "messaging.destination.name=orders", "messaging.batch.message_count=1"),
		},
		"ActiveMQ": {
			event: sample.Of(guard.MQ).Bytes(), name: "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=activemq"),
		},
		"RabbitMQ": {
			event: sample.Of(guard.MQ, "rabbitmq").Bytes(), name: "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=rabbitmq"),
		},
		"EventBridge": {
			event: sample.Of(guard.EventBridge).Bytes(), name: "process", kind: trace.SpanKindConsumer,
			attrs: consumes("messaging.system=aws_eventbridge"),
		},
		"a schedule": {
			event: sample.Of(guard.EventBridge, "scheduled").Bytes(), name: "invocation", kind: trace.SpanKindServer,
			attrs: []string{"faas.trigger=timer"},
		},
		"S3": {
			event: sample.Of(guard.S3).Bytes(), name: "invocation", kind: trace.SpanKindServer,
			attrs: []string{"faas.trigger=datasource", "faas.document.collection=" + sample.Of(guard.S3).Get("/Records/0/s3/bucket/name").(string)},
		},
		"DynamoDB": {
			event: sample.Of(guard.DynamoDB).Bytes(), name: "invocation", kind: trace.SpanKindServer,
			attrs: []string{"faas.trigger=datasource", "faas.document.collection=orders"},
		},
		"an authorizer":   {event: sample.Of(guard.Authorizer).Bytes(), name: "invocation", kind: trace.SpanKindServer, attrs: []string{"faas.trigger=other"}},
		"a direct call":   {event: []byte(`{"id":7}`), name: "invocation", kind: trace.SpanKindServer, attrs: []string{"faas.trigger=other"}},
		"what is no JSON": {event: []byte(`{"id"`), name: "invocation", kind: trace.SpanKindServer, attrs: []string{"faas.trigger=other"}},
	} {
		t.Run(name, func(t *testing.T) {
			tp := record(t)
			if _, err := tp.invoke(t, invocation(t.Context(), ""), tt.event, answer(`{"statusCode":200}`)); err != nil {
				t.Fatal(err)
			}
			span := tp.only(t)
			if span.Name != tt.name || span.SpanKind != tt.kind {
				t.Errorf("got %q, %v, want %q, %v", span.Name, span.SpanKind, tt.name, tt.kind)
			}
			if got, want := attributes(span), lines(tt.attrs...); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if span.Status.Code != codes.Unset || len(span.Events) != 0 {
				t.Errorf("got status %v, events %v, want none", span.Status, span.Events)
			}
		})
	}
}

func TestASpanHasTheInvocation(t *testing.T) {
	version := lambdacontext.FunctionVersion
	lambdacontext.FunctionVersion = "12"
	t.Cleanup(func() { lambdacontext.FunctionVersion = version })
	for name, tt := range map[string]struct {
		arn  string
		want []string
	}{
		"by its name":  {arn: function, want: []string{"cloud.resource_id=" + function, "aws.lambda.invoked_arn=" + function, "cloud.account.id=123456789012"}},
		"by its alias": {arn: function + ":live", want: []string{"cloud.resource_id=" + function + ":12", "aws.lambda.invoked_arn=" + function + ":live", "cloud.account.id=123456789012"}},
		"by no ARN":    {arn: "orders"},
	} {
		tp := record(t)
		h := guard.Wrap(answer(`{}`), otel.Trace(tp))
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
			AwsRequestID: "c6af9ac6", InvokedFunctionArn: tt.arn, TenantID: "blue",
		})
		for _, cold := range []string{"true", "false"} {
			if _, err := h.Invoke(ctx, []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range tp.only(t).Attributes {
				got = append(got, string(a.Key)+"="+a.Value.String())
			}
			want := lines(append(tt.want, "faas.invocation_id=c6af9ac6", "lambdarmor.tenant_id=blue", "faas.coldstart="+cold, "faas.trigger=other")...)
			if lines(got...) != want {
				t.Errorf("%s: got\n%s\nwant\n%s", name, lines(got...), want)
			}
		}
	}
}

// What became of an invocation is on its span, and of an error nothing but its code.
//
// SECURITY: Nothing leaks.
func TestASpanHasWhatBecameOfIt(t *testing.T) {
	const secret = "hunter2"
	broken := errors.New("no connection as " + secret)
	refused := guard.Errorf(guard.Forbidden, "not_yours", "It is not yours, "+secret)
	request := sample.HTTP("GET", "/orders/"+secret+"?q="+secret).Route("GET /orders/{id}").Header("Authorization", secret).JSON(`"` + secret + `"`).Bytes()
	queue := sample.Of(guard.SQS).Messages(secret).Bytes()
	problems := httpapi.Problems()
	for name, tt := range map[string]struct {
		event  []byte
		h      lambda.Handler
		layers []guard.Middleware
		status codes.Code
		attrs  []string // those of the outcome
	}{
		"an answer":        {event: request, h: answer(`{"statusCode":201}`), attrs: []string{"http.response.status_code=201"}},
		"a refusal":        {event: request, h: failing(refused), layers: []guard.Middleware{problems}, attrs: []string{"http.response.status_code=403", "lambdarmor.refusal=not_yours"}},
		"a 404 of its own": {event: request, h: answer(`{"statusCode":404}`), attrs: []string{"http.response.status_code=404"}},
		"an error made an answer": {
			event: request, h: failing(broken), layers: []guard.Middleware{problems}, status: codes.Error,
			attrs: []string{"http.response.status_code=500", "error.type=internal"},
		},
		"a 503 of its own": {
			event: request, h: answer(`{"statusCode":503}`), status: codes.Error,
			attrs: []string{"http.response.status_code=503", "error.type=503"},
		},
		"an error that leaves":   {event: request, h: failing(broken), status: codes.Error, attrs: []string{"error.type=internal"}},
		"a refusal that leaves":  {event: request, h: failing(refused), status: codes.Error, attrs: []string{"error.type=not_yours"}},
		"a direct call":          {event: []byte(`{}`), h: failing(broken), status: codes.Error, attrs: []string{"error.type=internal"}},
		"a direct call, refused": {event: []byte(`{}`), h: failing(refused), attrs: []string{"lambdarmor.refusal=not_yours"}},
		"reported to Lambda":     {event: []byte(`{}`), h: failing(broken), layers: []guard.Middleware{guard.Errors()}, status: codes.Error, attrs: []string{"error.type=internal"}},
		"a message":              {event: queue, h: failing(refused), status: codes.Error, attrs: []string{"error.type=not_yours"}},
		"a panic made an error": {
			event: request, h: panicking(secret), layers: []guard.Middleware{problems, guard.Recover()}, status: codes.Error,
			attrs: []string{"http.response.status_code=500", "error.type=panic"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tp := record(t)
			_, _ = tp.invoke(t, invocation(t.Context(), ""), tt.event, guard.Chain(tt.layers...)(tt.h))
			span := tp.only(t)
			if span.Status.Code != tt.status || span.Status.Description != "" || len(span.Events) != 0 {
				t.Errorf("got status %v, events %v, want %v and no text", span.Status, span.Events, tt.status)
			}
			var got []string
			for line := range strings.SplitSeq(attributes(span), "\n") {
				if strings.HasPrefix(line, "http.response") || strings.HasPrefix(line, "error") || strings.HasPrefix(line, "lambdarmor") {
					got = append(got, line)
				}
			}
			if lines(got...) != lines(tt.attrs...) {
				t.Errorf("got %q, want %q", got, tt.attrs)
			}
			if all, err := json.Marshal(span); err != nil || bytes.Contains(all, []byte(secret)) {
				t.Errorf("got %v and %s, want nothing of the caller", err, all)
			}
		})
	}
}

func panicking(value any) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(value) })
}

func TestAPanicEndsTheSpanAndGoesOn(t *testing.T) {
	tp := record(t)
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				t.Errorf("got panic %v, want boom", got)
			}
		}()
		_, _ = tp.invoke(t, invocation(t.Context(), ""), []byte(`{}`), panicking("boom"))
	}()
	// The End of the SDK would record the value in an event, if it were deferred.
	if span := tp.only(t); span.Status.Code != codes.Error || len(span.Events) != 0 || !strings.Contains(attributes(span), "error.type=panic") {
		t.Errorf("got %v, %v, %s", span.Status, span.Events, attributes(span))
	}
}

func TestAGoexitEndsTheSpanAndGoesOn(t *testing.T) {
	tp := record(t)
	returned, over := false, make(chan struct{})
	go func() {
		defer close(over)
		exit := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
			runtime.Goexit()
			return nil, nil
		})
		_, _ = tp.invoke(t, invocation(t.Context(), ""), []byte(`{}`), exit)
		returned = true
	}()
	<-over
	if span := tp.only(t); returned || span.Status.Code != codes.Error || !strings.Contains(attributes(span), "error.type=panic") {
		t.Errorf("got returned %t, %v, %s", returned, span.Status, attributes(span))
	}
}

func TestThePatternOfARouterNamesTheSpan(t *testing.T) {
	tp := record(t)
	for pattern, want := range map[string]string{
		"GET /orders/{id}":                 "GET /orders/{id}",
		"/orders/{id}":                     "GET /orders/{id}",
		"GET shop.example/{path}":          "GET /{path}",
		"GET /" + strings.Repeat("x", 300): "GET",
		"GET /orders?id=7":                 "GET",
		"orders":                           "GET",
	} {
		h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			layer.SetRoute(ctx, pattern)
			return []byte(`{"statusCode":200}`), nil
		})
		if _, err := tp.invoke(t, invocation(t.Context(), ""), sample.HTTP("GET", "/orders/7").Route("$default").Bytes(), h); err != nil {
			t.Fatal(err)
		}
		if got := tp.only(t).Name; got != want {
			t.Errorf("%.40s: got %q, want %q", pattern, got, want)
		}
	}
}

// However many paths callers ask for, spans have the names of the routes.
func TestNamesOfSpansAreBoundedByRoutes(t *testing.T) {
	tp := record(t)
	routes := httpapi.Routes(map[string]lambda.Handler{
		"GET /orders/{id}": httpapi.Func(func(context.Context, struct{}) (any, error) { return "ok", nil }),
	})
	h := guard.Wrap(routes, otel.Trace(tp), httpapi.Problems())
	for _, path := range []string{"/orders/1", "/orders/2", "/orders/3", "/nothing", "/wp-login.php", "/%00"} {
		if _, err := h.Invoke(invocation(t.Context(), ""), sample.HTTP("GET", path).Route("$default").Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	names := make(map[string]int)
	for _, s := range tp.spans.GetSpans() {
		names[s.Name]++
	}
	if len(names) != 2 || names["GET /orders/{id}"] != 3 || names["GET"] != 3 {
		t.Errorf("got %v, want 3 of GET /orders/{id} and 3 of GET", names)
	}
}

func TestAReplayIsMarked(t *testing.T) {
	tp := record(t)
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (any, error) { return "ok", nil }),
		otel.Trace(tp), httpapi.Problems(),
		idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"),
			idempotency.Scope(func(context.Context, *guard.Event) (string, error) { return "all", nil })))
	for _, want := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(invocation(t.Context(), ""), time.Minute)
		defer cancel()
		if _, err := h.Invoke(ctx, sample.HTTP("POST", "/orders").Header("Idempotency-Key", "k-1").Bytes()); err != nil {
			t.Fatal(err)
		}
		got := attributes(tp.only(t))
		if strings.Contains(got, "lambdarmor.idempotent_replay=true") != want || strings.Contains(got, "lambdarmor.replays=1") != want {
			t.Errorf("got\n%s\nwant a replay: %t", got, want)
		}
	}
}

func TestCountsAndCorrelationAreOnTheSpan(t *testing.T) {
	tp := record(t)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		layer.Count(ctx, layer.RecordsDeadLettered, 2)
		return nil, nil
	}), otel.Trace(tp), guard.Log(slog.New(slog.DiscardHandler), guard.Correlate(func(context.Context, *guard.Event) string { return "order-7" })))
	if _, err := h.Invoke(invocation(t.Context(), ""), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	want := lines("faas.trigger=other", "lambdarmor.records_dead_lettered=2", "lambdarmor.correlation_id=order-7")
	if got := attributes(tp.only(t)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLogRecordsHaveTheIdsOfTheSpan(t *testing.T) {
	tp := record(t)
	var out bytes.Buffer
	log := logging.New(&out)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		log.InfoContext(ctx, "placed")
		return nil, nil
	}), otel.Trace(tp), guard.Log(log))
	if _, err := h.Invoke(invocation(t.Context(), ""), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	sc := tp.only(t).SpanContext
	n := 0
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		n++
		var r struct {
			TraceID string `json:"trace_id"`
			SpanID  string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.TraceID+"-"+r.SpanID != ids(sc) {
			t.Errorf("got %v, %s, want the ids %s", err, line, ids(sc))
		}
	}
	if n != 2 {
		t.Errorf("got %d records, want 2", n)
	}
}

func TestWrongOrdersAndArgumentsPanic(t *testing.T) {
	tp := record(t)
	none := func(next lambda.Handler) lambda.Handler { return next }
	for want, make := range map[string]func(){
		"otel: Trace with a nil TracerProvider": func() { otel.Trace(nil) },
		"otel: Span with a nil TracerProvider":  func() { otel.Span(nil, "x", none) },
		"otel: Span without a name":             func() { otel.Span(tp, "", none) },
		"otel: Span of a nil layer":             func() { otel.Span(tp, "x", nil) },
		"otel: Flush needs a reserve above 0":   func() { otel.Flush(0, tp) },
		"otel: Flush without a provider":        func() { otel.Flush(time.Second) },
		"otel: Flush with a nil provider":       func() { otel.Flush(time.Second, nil) },
		"otel: Meter with a nil MeterProvider":  func() { otel.Meter(nil) },
		"list otel.Flush before otel.Trace":     func() { guard.Wrap(answer(""), otel.Trace(tp), otel.Flush(time.Second, tp)) },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("got panic %q, want %q", got, want)
				}
			}()
			make()
		}()
	}
}

// A provider that a program has declared and not set is refused as the chain is
// built, and not with the first invocation.
func TestAProviderThatIsNotSetPanics(t *testing.T) {
	var traces *sdktrace.TracerProvider
	var values *sdkmetric.MeterProvider
	for name, make := range map[string]func(){
		"Flush":   func() { otel.Flush(time.Second, record(t), traces) },
		"Trace":   func() { otel.Trace(traces) },
		"Records": func() { otel.Records[events.SQSMessage](traces) },
		"Meter":   func() { otel.Meter(values) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "otel: "+name+" with a nil ") {
					t.Errorf("%s: got panic %q, want one of the package", name, got)
				}
			}()
			make()
		}()
	}
}

func TestUnwiseOrdersAreWarnedOf(t *testing.T) {
	for want, l := range map[string]guard.Middleware{
		"list otel.Trace before httpapi.Problems": httpapi.Problems(),
		"list otel.Trace before guard.Errors":     guard.Errors(),
		"list otel.Trace before guard.Recover":    guard.Recover(),
	} {
		var out bytes.Buffer
		h := guard.Wrap(answer(`{}`), guard.Log(logging.New(&out)), l, otel.Trace(record(t)))
		if _, err := h.Invoke(invocation(t.Context(), ""), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %q", &out, want)
		}
	}
}
