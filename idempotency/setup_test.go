package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// request is an HTTP request as an HTTP API hands it on.
type request struct {
	method, route, path, query string // POST, "POST /orders", /orders
	key                        string // of the header; "" sends none
	headers                    map[string]string
	body                       string
	empty                      bool   // has no body
	authorizer                 string // JSON
	id                         string // of the request; differs in each by itself
}

var requests atomic.Int64

func (r request) event() []byte {
	if r.method == "" {
		r.method = "POST"
	}
	if r.path == "" {
		r.path = "/orders"
	}
	if r.route == "" {
		r.route = r.method + " " + r.path
	}
	if r.body == "" && !r.empty {
		r.body = `{"sku":"KB-101","quantity":2}`
	}
	headers := map[string]string{"content-type": "application/json"}
	if r.key != "" {
		headers["idempotency-key"] = r.key
	}
	for name, value := range r.headers {
		headers[name] = value
	}
	authorizer := ""
	if r.authorizer != "" {
		authorizer = `,"authorizer":` + r.authorizer
	}
	n := requests.Add(1) // what differs between two deliveries of one request
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":%s,"rawPath":%s,"rawQueryString":%s,"headers":%s,`+
		`"requestContext":{"accountId":"123456789012","requestId":"r-%d","timeEpoch":%d,"http":{"method":%s,"path":%s,"sourceIp":"192.0.2.1"}%s},`+
		`"body":%s,"isBase64Encoded":false}`,
		quote(r.route), quote(r.path), quote(r.query), encode(headers), n, n, quote(r.method), quote(r.path), authorizer, quote(r.body))
}

func quote(s string) string { return encode(s) }

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// function is a handler that counts its runs.
type function struct {
	runs   atomic.Int64
	handle func(ctx context.Context, run int64) ([]byte, error)
}

func (f *function) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	run := f.runs.Add(1)
	if f.handle == nil {
		return fmt.Appendf(nil, `{"statusCode":201,"headers":{"location":"/orders/%d"},"body":"order %[1]d"}`, run), nil
	}
	return f.handle(ctx, run)
}

func (f *function) mustHaveRun(t *testing.T, want int64) {
	t.Helper()
	if got := f.runs.Load(); got != want {
		t.Errorf("ran %d times, want %d", got, want)
	}
}

// answering is a function that always answers the same.
func answering(answer string) *function {
	return &function{handle: func(context.Context, int64) ([]byte, error) { return []byte(answer), nil }}
}

// failing is a function that always fails.
func failing(err error) *function {
	return &function{handle: func(context.Context, int64) ([]byte, error) { return nil, err }}
}

// protect puts Once around h as a service would have it.
func protect(h lambda.Handler, store idempotency.Store, opts ...idempotency.Option) lambda.Handler {
	return guard.Wrap(h, idempotency.Once(store, idempotency.Header("Idempotency-Key"), opts...))
}

// served is protect with the layers around it that answer errors.
func served(h lambda.Handler, store idempotency.Store, opts ...idempotency.Option) lambda.Handler {
	return guard.Wrap(h, httpapi.Problems(), guard.Recover(),
		idempotency.Once(store, idempotency.Header("Idempotency-Key"), opts...))
}

// ask sends a request that has 10 s.
func ask(t *testing.T, h lambda.Handler, r request) (string, error) {
	t.Helper()
	id := r.id
	if id == "" {
		id = fmt.Sprintf("request-%d", requests.Add(1))
	}
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id}), 10*time.Second)
	defer cancel()
	out, err := h.Invoke(ctx, r.event())
	return string(out), err
}

func mustAnswer(t *testing.T, h lambda.Handler, r request) string {
	t.Helper()
	out, err := ask(t, h, r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mustRefuse sends a request and returns the error, which must have the kind and
// code.
func mustRefuse(t *testing.T, h lambda.Handler, r request, kind guard.Kind, code string) *guard.Error {
	t.Helper()
	out, err := ask(t, h, r)
	return mustBe(t, out, err, kind, code)
}

func mustBe(t *testing.T, out any, err error, kind guard.Kind, code string) *guard.Error {
	t.Helper()
	var e *guard.Error
	if !errors.As(err, &e) {
		t.Fatalf("answered %v with error %v, want %s %s", out, err, kind, code)
	}
	if e.Kind != kind || e.Code != code {
		t.Fatalf("%s %s (%v), want %s %s", e.Kind, e.Code, err, kind, code)
	}
	return e
}

func isReplay(answer string) bool {
	return strings.Contains(answer, `"Idempotent-Replayed":"true"`) || strings.Contains(answer, `"Idempotent-Replayed":["true"]`)
}

// response is an answer read as the gateway reads it.
type response struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

func read(t *testing.T, answer string) response {
	t.Helper()
	var r response
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return r
}

// faulty is a store whose steps can be made to fail.
type faulty struct {
	idempotency.Store
	claim, complete, release error
}

func (f *faulty) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	if f.claim != nil {
		return idempotency.Record{}, f.claim
	}
	return f.Store.Claim(ctx, r)
}

func (f *faulty) Complete(ctx context.Context, r idempotency.Record) error {
	if f.complete != nil {
		return f.complete
	}
	return f.Store.Complete(ctx, r)
}

func (f *faulty) Release(ctx context.Context, r idempotency.Record) error {
	if f.release != nil {
		return f.release
	}
	return f.Store.Release(ctx, r)
}

// deadline is a context with a deadline that never ends.
type deadline struct {
	context.Context
	end time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.end, true }
