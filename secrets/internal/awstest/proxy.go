package awstest

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

// A Proxy stands between a client and a server. It counts what passes and does to
// requests what a network and a busy service do.
type Proxy struct {
	*httptest.Server
	upstream string

	mu     sync.Mutex // guards what follows
	counts map[string]int
	plan   map[string]Mishap
}

// A Mishap answers a request in place of the server.
type Mishap func(w http.ResponseWriter, r *http.Request, body []byte)

// NewProxy starts a proxy that ends with the test, of the server at a URL. With
// none, it has mishaps only.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	p := &Proxy{upstream: upstream, counts: make(map[string]int), plan: make(map[string]Mishap)}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

// Meet has the requests of an operation meet a mishap, until it is nil.
func (p *Proxy) Meet(operation string, m Mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan[operation] = m
}

// Taken gives the requests since the last call, by operation.
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

func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
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

// Drop is a request that never arrives.
func Drop(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }

// Hang is a request that arrives nowhere, and of which nobody hears again.
func Hang(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }

// Begin is an answer that goes no further than a text.
func Begin(text string) Mishap {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		Hang(w, r, body)
	}
}

// Cut is an answer that ends in the middle.
func Cut(text string) Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Length", "10000")
		_, _ = io.WriteString(w, text)
	}
}

// Refuse answers with an error as AWS sends it.
func Refuse(status int, code string) Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "a message"})
	}
}

// Answer gives the same answer to all requests.
func Answer(v any) Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { _ = json.NewEncoder(w).Encode(v) }
}
