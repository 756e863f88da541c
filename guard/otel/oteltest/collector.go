package oteltest

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A Collector receives spans and metrics on a loopback port. It is safe for
// concurrent use.
type Collector struct {
	// URL is where the collector listens, like "http://127.0.0.1:40123". Traces are
	// sent to URL + "/v1/traces" and metrics to URL + "/v1/metrics". It is what the
	// variable OTEL_EXPORTER_OTLP_ENDPOINT takes.
	URL string

	server *httptest.Server
	closed chan struct{}

	mu       sync.Mutex // guards all below
	mode     mode
	requests int
	arrived  chan struct{} // closed and replaced at each request
	spans    []Span
	metrics  []Metric
}

// mode is what becomes of a request. The zero value takes it.
type mode struct {
	held       chan struct{} // nil, or the request waits until it is closed
	down       bool
	throttled  bool
	retryAfter time.Duration
}

// NewCollector starts a collector. Call [Collector.Close] when it is not needed any
// more.
func NewCollector() *Collector {
	c := &Collector{closed: make(chan struct{}), arrived: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.handler((*Collector).takeTraces))
	mux.HandleFunc("POST /v1/metrics", c.handler((*Collector).takeMetrics))
	c.server = httptest.NewServer(mux)
	c.URL = c.server.URL
	return c
}

// Start starts a collector that is closed at the end of the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := NewCollector()
	t.Cleanup(c.Close)
	return c
}

// Close ends all requests, those that are held too, and returns when they have
// ended. After that a client's connection is refused. What was received stays.
// Close may be called several times.
func (c *Collector) Close() {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	c.mu.Unlock()
	c.server.Close()
}

// Accept makes the collector take requests, as it does at first. It does not
// release those that are held.
func (c *Collector) Accept() { c.set(mode{}) }

// Hold makes the collector slow: each request from now on waits for release, and
// is taken then. A request ends earlier, and is not taken, when its client gives up
// or the collector is closed. After release the collector takes requests again.
// release may be called several times.
func (c *Collector) Hold() (release func()) {
	held := make(chan struct{})
	c.set(mode{held: held})
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.mode.held == held {
			c.mode = mode{}
		}
		close(held)
	})
}

// Down makes the collector drop the connection of each request.
func (c *Collector) Down() { c.set(mode{down: true}) }

// Throttle makes the collector refuse each request with the status 429 and a
// Retry-After header, in whole seconds, rounded up. Zero sends no such header.
func (c *Collector) Throttle(retryAfter time.Duration) {
	c.set(mode{throttled: true, retryAfter: retryAfter})
}

func (c *Collector) set(m mode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mode = m
}

// Requests returns how many requests have arrived, those that were held, dropped or
// refused too.
func (c *Collector) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Await waits until at least n requests have arrived in all. The error is that of
// ctx.
func (c *Collector) Await(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		enough, arrived := c.requests >= n, c.arrived
		c.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Spans returns the spans that were received, in that order.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Metrics returns the data points of metrics that were received, in that order.
// A program may send the same metric several times.
func (c *Collector) Metrics() []Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.metrics)
}

// Reset forgets what was received, and the number of requests.
func (c *Collector) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests, c.spans, c.metrics = 0, nil, nil
}

// begin counts a request and returns what becomes of it.
func (c *Collector) begin() mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	close(c.arrived)
	c.arrived = make(chan struct{})
	return c.mode
}

func (c *Collector) handler(take func(*Collector, []byte, encoding) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m := c.begin()
		body, enc, status := read(w, r)
		if status != 0 {
			http.Error(w, http.StatusText(status), status)
			return
		}
		switch {
		case m.down:
			panic(http.ErrAbortHandler) // closes the connection, and logs nothing
		case m.throttled:
			if m.retryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(m.retryAfter.Seconds()))))
			}
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case m.held != nil:
			select {
			case <-m.held:
			case <-c.closed:
				panic(http.ErrAbortHandler)
			case <-r.Context().Done():
				return
			}
		}
		if err := take(c, body, enc); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", string(enc))
		if enc == asJSON {
			_, _ = w.Write([]byte("{}"))
		}
	}
}
