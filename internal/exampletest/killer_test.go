package exampletest_test

import (
	"errors"
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
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
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
func newKiller(t *testing.T, binary, upstream string, env []string, timeout time.Duration) *killer {
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
		Timeout: timeout, InitTimeout: patient,
		Memory: 512, Env: append(env[:len(env):len(env)], "AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL),
	})
	k.function = gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: []string{"POST /orders", "GET /orders/{id}"}}).URL
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
	if err := process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
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
	if k.strike != nil && awsproxy.Operation(r) == k.operation {
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
	answer.Write(w, len(answer.Body))
}

func (k *killer) forward(r *http.Request, body []byte) (awsproxy.Reply, error) {
	return awsproxy.Forward(k.upstream, r, body)
}
