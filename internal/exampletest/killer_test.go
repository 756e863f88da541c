package exampletest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// killer runs a function with one process, and stands between it and the tables
// so as to kill it at a request of its choice.
type killer struct {
	function string // the URL of its API
	pid      string // the file with the id of its process
	upstream string

	mu        sync.Mutex // guards what follows
	operation string
	strike    func(k *killer, w http.ResponseWriter, r *http.Request, body []byte)
	unkilled  error // of a kill
}

// newKiller runs a binary. A shell that becomes the binary tells its process.
func newKiller(t *testing.T, binary, upstream string, env []string) *killer {
	t.Helper()
	dir := t.TempDir()
	k := &killer{pid: filepath.Join(dir, "pid"), upstream: upstream}
	script := filepath.Join(dir, "bootstrap")
	text := fmt.Sprintf("#!/bin/sh\necho $$ >'%s'\nexec '%s'\n", k.pid, binary)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(k)
	t.Cleanup(proxy.Close)
	fn := guardtest.Start(t, script, guardtest.Config{
		Memory: 512, Env: append(env[:len(env):len(env)], "AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL),
	})
	gateway, err := guardtest.NewHTTPAPI(fn, guardtest.HTTPAPIConfig{Routes: []string{"POST /orders", "GET /orders/{id}"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gateway)
	t.Cleanup(server.Close)
	k.function = server.URL
	return k
}

// kill ends the process, at once and without a word to it.
func (k *killer) kill() {
	if err := killFrom(k.pid); err != nil {
		k.unkilled = err
	}
}

func killFrom(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Kill()
}

// next strikes at the next request of that operation.
func (k *killer) next(p point) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.operation, k.strike = p.operation, p.strike
}

// struck reports whether that request has come.
func (k *killer) struck() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.operation != "" && k.strike == nil
}

// failed tells of a kill that did not succeed.
func (k *killer) failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unkilled
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	k.mu.Lock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if k.strike != nil && operation == k.operation {
		defer k.mu.Unlock()
		strike := k.strike
		k.strike = nil
		strike(k, w, r, body)
		return
	}
	k.mu.Unlock()
	answer, err := k.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answer.write(w, len(answer.body))
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// forward has the server take a request, whoever waits for its answer.
func (k *killer) forward(r *http.Request, body []byte) (reply, error) {
	req, err := http.NewRequest(r.Method, k.upstream+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header = r.Header.Clone()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, text}, err
}

// write sends the first n bytes of the body, of which all are announced.
func (a reply) write(w http.ResponseWriter, n int) {
	for _, name := range []string{"Content-Type", "X-Amzn-Requestid", "X-Amz-Crc32"} {
		if value := a.header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:n])
	_ = http.NewResponseController(w).Flush()
}
