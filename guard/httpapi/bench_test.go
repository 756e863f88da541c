package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

const benchEvent = `{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{"accept":"*/*","accept-encoding":"gzip, deflate, br","content-length":"160","content-type":"application/json","host":"abcdef1234.execute-api.eu-central-1.amazonaws.com","user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","x-amzn-trace-id":"Root=1-5f84c7a7-4a1b2c3d4e5f60718293a4b5","x-forwarded-for":"203.0.113.7","x-forwarded-port":"443","x-forwarded-proto":"https"},"requestContext":{"accountId":"123456789012","apiId":"abcdef1234","domainName":"abcdef1234.execute-api.eu-central-1.amazonaws.com","domainPrefix":"abcdef1234","http":{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"203.0.113.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},"requestId":"JKJaXmPLvHcESHA=","routeKey":"POST /orders","stage":"$default","time":"10/Mar/2026:05:16:23 +0000","timeEpoch":1773119783000},"body":"{\"customer\":\"c-42\",\"items\":[{\"sku\":\"KB-101\",\"quantity\":2},{\"sku\":\"MS-200\",\"quantity\":1},{\"sku\":\"CB-300\",\"quantity\":12}],\"note\":\"ring twice, please leave it here\"}","isBase64Encoded":false}`

const benchSchema = `{"type":"object","required":["customer","items"],"additionalProperties":false,"properties":{
	"customer":{"type":"string","pattern":"^c-[0-9]+$"},"note":{"type":"string","maxLength":280},
	"items":{"type":"array","minItems":1,"maxItems":50,"items":{"type":"object","required":["sku","quantity"],"additionalProperties":false,
		"properties":{"sku":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"},"quantity":{"type":"integer","minimum":1,"maximum":99}}}}}}`

type benchItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type benchOrder struct {
	Customer string      `json:"customer"`
	Items    []benchItem `json:"items"`
	Note     string      `json:"note"`
}

type benchAnswer struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func invocationContext(b *testing.B) context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Hour))
	b.Cleanup(cancel)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", InvokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:orders"})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	return context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5f84c7a7-4a1b2c3d4e5f60718293a4b5;Parent=53995c3f42cd8ad8;Sampled=1")
}

// The bare handler decodes event and body with encoding/json and defends
// against nothing; the defended one has every layer, with and without the schema.
func BenchmarkPost(b *testing.B) {
	bare := lambda.NewHandler(func(_ context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var o benchOrder
		if err := json.Unmarshal([]byte(in.Body), &o); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		body, err := json.Marshal(benchAnswer{ID: o.Customer, Status: "accepted"})
		return events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{"content-type": "application/json"}, Body: string(body)}, err
	})
	fn := httpapi.Func(func(_ context.Context, o benchOrder) (benchAnswer, error) {
		return benchAnswer{ID: o.Customer, Status: "accepted"}, nil
	}, httpapi.Status(http.StatusCreated))
	log := guard.Log(logging.New(io.Discard))
	body := validate.Body(schema.MustCompile([]byte(benchSchema)))
	limit, deadline := guard.Limit(guard.Limits{}), guard.Deadline(300*time.Millisecond)
	for _, bm := range []struct {
		name string
		h    lambda.Handler
	}{
		{name: "bare", h: bare},
		{name: "defended", h: guard.Wrap(fn, log, httpapi.Problems(), guard.Recover(), deadline, limit)},
		{name: "defended-with-schema", h: guard.Wrap(fn, log, httpapi.Problems(), guard.Recover(), deadline, limit, body)},
		{name: "defended-without-log", h: guard.Wrap(fn, httpapi.Problems(), guard.Recover(), deadline, limit)},
		{name: "defended-without-recover", h: guard.Wrap(fn, log, httpapi.Problems(), deadline, limit)},
		{
			name: "defended-with-headers",
			h:    guard.Wrap(fn, log, httpapi.Problems(), httpapi.SecurityHeaders(), guard.Recover(), deadline, limit),
		},
		{name: "function-alone", h: guard.Wrap(fn)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			ctx := invocationContext(b)
			payload := []byte(benchEvent)
			out, err := bm.h.Invoke(ctx, payload)
			if err != nil || !strings.Contains(string(out), "accepted") {
				b.Fatalf("%s, %v", out, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bm.h.Invoke(ctx, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkServe is a ServeMux behind the event, from bytes to bytes.
func BenchmarkServe(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			b.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"o-1","status":"accepted"}`)
	})
	h := guard.Wrap(httpapi.Serve(mux))
	ctx := invocationContext(b)
	payload := []byte(benchEvent)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(ctx, payload); err != nil {
			b.Fatal(err)
		}
	}
}

// badBodies are refused, each beside the body of n items, or of as many bytes as
// these have, that is accepted.
func badBodies(n int) []struct{ name, accepted, refused string } {
	const item, wrong = `{"sku":"KB-101","quantity":2}`, `{"sku":"KB-101","quantity":"2"}`
	list := func(items, last string) string {
		return `{"customer":"c-42","items":[` + strings.Repeat(items+",", n-1) + last + `],"note":"n"}`
	}
	members := distinctMembers(50 * n)
	more := func(end string) string { return members[:len(members)-1] + `,"customer":"c-42"` + end }
	return []struct{ name, accepted, refused string }{
		{name: "items-of-the-wrong-type", accepted: list(item, item), refused: list(wrong, wrong)},
		{name: "a-wrong-type-last", accepted: list(item, item), refused: list(item, wrong)},
		{name: "case-variants", accepted: list(item, item), refused: list(`{"SKU":"KB-101","quantity":2}`, item)},
		{name: "a-member-twice-after-many", accepted: more(`}`), refused: more(`,"customer":"c-42"}`)},
		{name: "cut-off-after-many", accepted: more(`}`), refused: more(``)},
		{name: "too-many-values", accepted: list(item, item), refused: filled(30*n, `{"items":[`, `0,`, `0]}`)},
		{name: "too-large", accepted: list(item, item), refused: filled(3<<20, `"`, `x`, `"`)},
	}
}

// BenchmarkRefusal compares a refusal with the acceptance, through the default
// layers around a typed handler.
func BenchmarkRefusal(b *testing.B) {
	for _, tt := range badBodies(20_000) {
		for _, way := range []struct{ name, body, want string }{{
			name: "accepted",
			body: tt.accepted,
			want: `"statusCode":200`,
		}, {
			name: "refused",
			body: tt.refused,
			want: `"statusCode":4`,
		}} {
			b.Run(tt.name+"/"+way.name, func(b *testing.B) {
				h, payload, ctx := typed(), jsonCall(way.body).event(), invocationContext(b)
				if out, err := h.Invoke(ctx, payload); err != nil || !strings.Contains(string(out), way.want) {
					b.Fatalf("got %.200s, %v, want %s", out, err, way.want)
				}
				b.ReportAllocs()
				for b.Loop() {
					_, _ = h.Invoke(ctx, payload)
				}
			})
		}
	}
}

// A refusal may not take more memory than the acceptance. Of time the benchmark
// tells, as a machine may be busy.
//
// SECURITY: Bounded work.
func TestARefusalTakesNoMoreMemoryThanTheAcceptance(t *testing.T) {
	h := typed()
	for _, tt := range badBodies(8_000) {
		t.Run(tt.name, func(t *testing.T) {
			accepted, refused := jsonCall(tt.accepted).event(), jsonCall(tt.refused).event()
			cost := func(payload []byte) uint64 {
				return allocated(func() { _, _ = h.Invoke(inLambda(t.Context()), payload) })
			}
			cost(accepted)
			const slack = 64 << 10 // of the answer and the record
			if most, got := cost(accepted)+slack, cost(refused); got > most {
				t.Errorf("got %d bytes, want at most %d", got, most)
			}
		})
	}
}
