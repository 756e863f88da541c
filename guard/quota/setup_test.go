package quota_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// noon is when half of a day is over, and a minute begins. It is later than a test runs,
// as stores forget counters by their own clock.
var noon = time.Date(2100, 12, 1, 12, 0, 0, 0, time.UTC)

// hand is a clock that the test moves.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func at(now time.Time) *hand { return &hand{now: now} }

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// call is a request of an HTTP API in payload format 2.0.
type call struct {
	who   string // the principal; "" is none
	route string // "POST /orders" if empty
	path  string // /orders if empty
	ip    string // 192.0.2.1 if empty
	key   string // of idempotency
}

func (c call) event() []byte {
	for text, otherwise := range map[*string]string{&c.route: "POST /orders", &c.path: "/orders", &c.ip: "192.0.2.1"} {
		if *text == "" {
			*text = otherwise
		}
	}
	quoted := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":%s,"rawPath":%s,"rawQueryString":"","headers":{"content-type":"application/json","x-who":%s,"idempotency-key":%s},`+
		`"requestContext":{"domainName":"api.example.com","stage":"$default","routeKey":%[1]s,"http":{"method":"POST","path":%[2]s,"sourceIp":%[5]s}},"body":"{}","isBase64Encoded":false}`,
		quoted(c.route), quoted(c.path), quoted(c.who), quoted(c.key), quoted(c.ip))
}

// authenticate does what authorizer.Require does, by a header.
func authenticate() guard.Middleware {
	return layer.Named("authorizer.Require", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			req, err := guard.EventOf(ctx, payload).Request()
			if err != nil {
				return nil, err
			}
			if err := layer.SetPrincipal(ctx, req.Header("x-who")); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

// function is a handler that counts its runs.
type function struct{ runs atomic.Int64 }

func (f *function) handler() lambda.Handler {
	return httpapi.Func(func(context.Context, struct{}) (map[string]string, error) {
		f.runs.Add(1)
		return map[string]string{"status": "done"}, nil
	})
}

func (f *function) mustHaveRun(t testing.TB, want int64) {
	t.Helper()
	if got := f.runs.Load(); got != want {
		t.Errorf("ran %d times, want %d", got, want)
	}
}

// api is a function with the layers of an HTTP API.
func (f *function) api(layers ...guard.Middleware) lambda.Handler {
	return guard.Wrap(f.handler(), append([]guard.Middleware{httpapi.Default(logging.New(discard{})), authenticate()}, layers...)...)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// response is an answer as a gateway reads it.
type response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func send(t testing.TB, h lambda.Handler, c call) response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := h.Invoke(ctx, c.event())
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return r
}

// mustBe checks a status, and headers in pairs of name and value; "" is none.
func mustBe(t testing.TB, r response, status int, headers ...string) {
	t.Helper()
	if r.Status != status {
		t.Fatalf("got %d %s, want %d", r.Status, r.Body, status)
	}
	for i := 0; i < len(headers); i += 2 {
		if got := r.Headers[headers[i]]; got != headers[i+1] {
			t.Errorf("%s: got %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

func codeOf(t testing.TB, r response) string {
	t.Helper()
	var problem struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal([]byte(r.Body), &problem); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	return problem.Code
}

// records are the lines of a log.
type records struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *records) logger() *slog.Logger { return logging.New(r) }

func (r *records) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSpace(r.b.String()), "\n")
}

// counter is a store of a function.
type counter func(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error)

func (c counter) Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error) {
	return c(ctx, key, want, limit, expires)
}

var _ quota.Counter = counter(nil)

// logged is a function with the layers of an HTTP API, and its log.
func (f *function) logged(log *records, layers ...guard.Middleware) lambda.Handler {
	return guard.Wrap(f.handler(), append([]guard.Middleware{httpapi.Default(log.logger())}, layers...)...)
}
