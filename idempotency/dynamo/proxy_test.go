package dynamo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// proxy stands between the client and the server. It counts what passes and
// does to single requests what a network and a busy server do.
type proxy struct {
	*httptest.Server
	upstream string

	mu     sync.Mutex // guards what follows
	counts map[string]int
	plan   map[string][]mishap
}

// mishap is what becomes of one request. Later ones pass.
type mishap func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte)

func newProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	p := &proxy{upstream: upstream, counts: make(map[string]int), plan: make(map[string][]mishap)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// next has the coming requests of an operation meet these mishaps, in turn.
func (p *proxy) next(operation string, mishaps ...mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan[operation] = append(p.plan[operation], mishaps...)
}

// taken gives the requests since the last call, by operation.
func (p *proxy) taken() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	p.counts = make(map[string]int)
	return counts
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	p.mu.Lock()
	p.counts[operation]++
	happen := mishap((*proxy).pass)
	if plan := p.plan[operation]; len(plan) > 0 {
		happen, p.plan[operation] = plan[0], plan[1:]
	}
	p.mu.Unlock()
	happen(p, w, r, body)
}

// forward has the server take a request, whoever waits for its answer.
func (p *proxy) forward(r *http.Request, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequest(r.Method, p.upstream+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return resp, out, err
}

func (p *proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	resp, out, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, name := range []string{"Content-Type", "X-Amzn-Requestid"} {
		w.Header().Set(name, resp.Header.Get(name))
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(out)
}

// lose applies the request and drops the connection instead of an answer.
func lose(p *proxy, _ http.ResponseWriter, r *http.Request, body []byte) {
	_, _, _ = p.forward(r, body)
	panic(http.ErrAbortHandler)
}

// drop is a request that never arrives.
func drop(*proxy, http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }

// hang is a request that arrives nowhere, and of which nobody hears again.
func hang(_ *proxy, _ http.ResponseWriter, r *http.Request, _ []byte) {
	<-r.Context().Done()
}

// refuse answers with an error of DynamoDB's.
func refuse(status int, code, message string) mishap {
	return func(_ *proxy, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": message})
	}
}

var (
	throttle     = refuse(400, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded.")
	throttleAll  = refuse(400, "ThrottlingException", "Rate exceeded")
	failInternal = refuse(500, "InternalServerError", "The request processing has failed because of an unknown error.")
)

// forget answers a failed condition without the item, as older engines do.
func forget(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
	resp, out, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var answer map[string]any
	if json.Unmarshal(out, &answer) == nil {
		delete(answer, "Item")
		out, _ = json.Marshal(answer)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(out)
}

// hasty is a client that retries at once and not for long.
func hasty(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Backoff = retry.BackoffDelayerFunc(noDelay)
		o.RateLimiter = unlimited{}
	})
}

func noDelay(int, error) (time.Duration, error) { return 0, nil }

// unlimited lets every retry go.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

// forgive forgets the mishaps that are still to come.
func (p *proxy) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.plan)
}
