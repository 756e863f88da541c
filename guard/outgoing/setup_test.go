package outgoing_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered is a base transport that keeps the last request.
func answered(last **http.Request) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		*last = r
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
}

// echo is a server that answers the headers that it got.
func echo(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(r.Header)
	}))
	t.Cleanup(server.Close)
	return server
}

const (
	root   = "1-5759e988-bd862e3fe1be46a994272793"
	parent = "53995c3f42cd8ad8"
	header = "Root=" + root + ";Parent=" + parent + ";Sampled=1;Lineage=1:a87bd80c:0"
	w3c    = "5759e988bd862e3fe1be46a994272793"
)

// invocation is what Lambda and a caller send.
type invocation struct {
	trace, requestID, correlation string
	hops                          int // of the event; -1 leaves package recursion out
}

// run calls fn as the handler of an invocation.
func (i invocation) run(t *testing.T, fn func(ctx context.Context)) {
	t.Helper()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: i.requestID})
	if i.trace != "" {
		//lint:ignore SA1029 the key that aws-lambda-go uses
		ctx = context.WithValue(ctx, "x-amzn-trace-id", i.trace)
	}
	layers := []guard.Middleware{guard.Log(logging.New(discard{}), guard.Correlate(func(context.Context, *guard.Event) string { return i.correlation }))}
	event := sample.Of(guard.EventBridge)
	if i.hops >= 0 {
		layers = append(layers, recursion.Limit(100))
		event = event.Set("/detail/_hops", i.hops)
	}
	called := false
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		called = true
		fn(ctx)
		return nil, nil
	}), layers...)
	if _, err := h.Invoke(ctx, event.Bytes()); err != nil || !called {
		t.Fatalf("got %v, called %t", err, called)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// call sends a GET with the context, and returns the headers that arrived.
func call(t *testing.T, ctx context.Context, c *http.Client, url string, set http.Header) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range set {
		r.Header[name] = values
	}
	res, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer res.Body.Close()
	var got http.Header
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Error(err)
	}
	return got
}

// together runs n functions at once.
func together(n int, fn func(i int)) {
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() { fn(i) })
	}
	done.Wait()
}
