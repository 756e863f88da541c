// Package awsproxy stands between a client of AWS and a server, and does to
// requests what a network and a busy service do. Only tests import it.
package awsproxy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A Proxy counts what passes, and has single requests meet mishaps.
type Proxy struct {
	*httptest.Server
	upstream  string
	transport *http.Transport // to it

	mu     sync.Mutex // guards what follows
	counts map[string]int
	always map[string]Mishap
	next   map[string][]Mishap
}

// A Mishap answers a request in place of the server.
type Mishap func(w http.ResponseWriter, r *http.Request, body []byte)

// New starts a proxy that ends with the test, of the server at a URL. With none,
// it has mishaps only.
func New(t testing.TB, upstream string) *Proxy {
	t.Helper()
	p := &Proxy{upstream: upstream, counts: map[string]int{}, always: map[string]Mishap{}, next: map[string][]Mishap{}}
	// A connection for each request would use up the ports of this machine.
	p.transport = &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(p.transport.CloseIdleConnections)
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

// Meet has the requests of an operation meet a mishap, until it is nil.
func (p *Proxy) Meet(operation string, m Mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always[operation] = m
}

// Next has the coming requests of an operation meet these mishaps, in turn.
func (p *Proxy) Next(operation string, mishaps ...Mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next[operation] = append(p.next[operation], mishaps...)
}

// Forgive forgets the mishaps that are still to come.
func (p *Proxy) Forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.next)
	clear(p.always)
}

// Taken returns the requests since the last call, by operation.
func (p *Proxy) Taken() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	p.counts = make(map[string]int)
	return counts
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	operation := Operation(r)
	p.mu.Lock()
	p.counts[operation]++
	happen := p.always[operation]
	if plan := p.next[operation]; len(plan) > 0 {
		happen, p.next[operation] = plan[0], plan[1:]
	}
	p.mu.Unlock()
	if happen == nil {
		happen = p.Pass
	}
	happen(w, r, body)
}

// Pass is no mishap: the server answers.
func (p *Proxy) Pass(w http.ResponseWriter, r *http.Request, body []byte) {
	reply, err := p.Forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reply.Write(w, len(reply.Body))
}

// Forward passes a request on, even when the client is gone.
func (p *Proxy) Forward(r *http.Request, body []byte) (Reply, error) {
	return forward(p.transport, p.upstream, r, body)
}

// Drop is a request that never arrives.
func Drop(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }

// Hang is a request that never arrives and is never answered.
func Hang(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }

// Operation is what a request of AWS's JSON protocols asks for.
func Operation(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// A Reply is what a server has answered.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Forward passes a request on to the server at a URL, even when the client is gone.
func Forward(upstream string, r *http.Request, body []byte) (Reply, error) {
	return forward(http.DefaultTransport, upstream, r, body)
}

func forward(by http.RoundTripper, upstream string, r *http.Request, body []byte) (Reply, error) {
	req, err := http.NewRequest(r.Method, upstream+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return Reply{}, err
	}
	req.Header = r.Header.Clone()
	res, err := by.RoundTrip(req)
	if err != nil {
		return Reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return Reply{res.StatusCode, res.Header, text}, err
}

// Write announces the whole body and sends the first n bytes of it.
func (a Reply) Write(w http.ResponseWriter, n int) {
	for _, name := range []string{"Content-Type", "X-Amzn-Requestid", "X-Amz-Crc32"} {
		if value := a.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body[:n])
	_ = http.NewResponseController(w).Flush()
}
