package awsparams_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// proxy stands between the client and the server. It counts what passes and
// does to requests what a network and a busy server do.
type proxy struct {
	*httptest.Server
	upstream string // "" for a server that only has mishaps

	mu     sync.Mutex // guards what follows
	counts map[string]int
	plan   map[string]mishap
}

// mishap answers a request in place of the server.
type mishap func(w http.ResponseWriter, r *http.Request, body []byte)

func newProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	p := &proxy{upstream: upstream, counts: make(map[string]int), plan: make(map[string]mishap)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// meet has the requests of an operation meet a mishap, until it is nil.
func (p *proxy) meet(operation string, m mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan[operation] = m
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
	happen := p.plan[operation]
	p.mu.Unlock()
	if happen == nil {
		happen = p.pass
	}
	happen(w, r, body)
}

func (p *proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, p.upstream+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// drop is a request that never arrives.
func drop(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }

// hang is a request that arrives nowhere, and of which nobody hears again.
func hang(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }

// cut is an answer that ends in the middle.
func cut(text string) mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Length", "10000")
		_, _ = io.WriteString(w, text)
	}
}

// refuse answers with an error as AWS sends it.
func refuse(status int, code string) mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "a message"})
	}
}

// answer gives the same answer to all requests.
func answer(v any) mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { _ = json.NewEncoder(w).Encode(v) }
}
