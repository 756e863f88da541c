package extension_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/extension"
)

const id = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"

// A platform serves the Extensions and Telemetry APIs as AWS's documents describe
// them, to one extension.
type platform struct {
	*httptest.Server
	events chan string // bodies of event/next

	mu       sync.Mutex
	requests []request
	answer   func(w http.ResponseWriter, r *http.Request) bool // in place of the documents' one, if it returns true
}

type request struct {
	path   string
	header http.Header
	body   map[string]any
}

// serve starts a platform for Register to find.
func serve(t testing.TB) *platform {
	t.Helper()
	p := &platform{events: make(chan string, 10)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(p.URL, "http://"))
	t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "")
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := request{path: r.Method + " " + r.URL.Path, header: r.Header}
	_ = json.Unmarshal(body, &got.body)
	p.mu.Lock()
	p.requests = append(p.requests, got)
	answer := p.answer
	p.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	if r.URL.Path != "/2020-01-01/extension/register" && r.Header.Get("Lambda-Extension-Identifier") != id {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errorType":"Extension.UnknownExtensionIdentifier","errorMessage":"unknown"}`)
		return
	}
	if len(body) > 0 && r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	switch got.path {
	case "POST /2020-01-01/extension/register":
		w.Header().Set("Lambda-Extension-Identifier", id)
		_, _ = io.WriteString(w, `{"functionName":"helloWorld","functionVersion":"$LATEST","handler":"bootstrap","accountId":"123456789012","more":1}`)
	case "GET /2020-01-01/extension/event/next":
		select {
		case event := <-p.events:
			w.Header().Set("Lambda-Extension-Event-Identifier", "1")
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
	case "POST /2020-01-01/extension/init/error", "POST /2020-01-01/extension/exit/error":
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"OK"}`)
	case "PUT /2022-07-01/telemetry":
		_, _ = io.WriteString(w, `"OK"`)
	default:
		http.NotFound(w, r)
	}
}

// got returns the requests for a path so far.
func (p *platform) got(path string) (all []request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r.path == path {
			all = append(all, r)
		}
	}
	return all
}

// instead makes the platform answer in another way.
func (p *platform) instead(answer func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func register(t testing.TB, opts ...extension.Option) *extension.Extension {
	t.Helper()
	ext, err := extension.Register(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ext
}

// destination returns the address that the extension has subscribed with.
func (p *platform) destination(t testing.TB) string {
	t.Helper()
	all := p.got("PUT /2022-07-01/telemetry")
	if len(all) != 1 {
		t.Fatalf("got %d subscriptions, want 1", len(all))
	}
	to, _ := all[0].body["destination"].(map[string]any)
	uri, _ := to["URI"].(string)
	return uri
}

// inside is a client in the environment, where sandbox.localdomain is this machine.
var inside = &http.Client{Transport: &http.Transport{
	DisableKeepAlives: true,
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	},
}}

// send returns the status of a request to the listener, 0 if there is no answer.
func send(method, uri, body string) int {
	req, err := http.NewRequest(method, uri, bytes.NewBufferString(body))
	if err != nil {
		return 0
	}
	resp, err := inside.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
