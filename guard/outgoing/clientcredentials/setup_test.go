package clientcredentials_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// vault is a source of secrets whose value can be changed.
type vault struct {
	mu    sync.Mutex
	value string
	asked int
	err   error
}

func (v *vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	values := make([]secrets.Value, len(refs))
	for i := range refs {
		values[i] = secrets.Value{Data: []byte(v.value), Version: v.value}
	}
	return values, v.err
}

func (v *vault) set(value string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.value, v.err = value, err
}

// server is an authorization server. Its tokens are token-1, token-2 and so on.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	asked   int
	forms   []url.Values
	headers []http.Header
	answer  func(w http.ResponseWriter, r *http.Request, n int) // nil issues a token for an hour
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	s.mu.Lock()
	s.asked++
	n, answer := s.asked, s.answer
	s.forms, s.headers = append(s.forms, form), append(s.headers, r.Header)
	s.mu.Unlock()
	if answer != nil {
		answer(w, r, n)
		return
	}
	issue(w, n, 3600)
}

func (s *server) answers(answer func(w http.ResponseWriter, r *http.Request, n int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func issue(w http.ResponseWriter, n, seconds int) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":%d,"scope":"a"}`, n, seconds)
}

func fails(status int, body string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hand is a clock that the test moves.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// setup returns a source of tokens with all that it needs.
func setup(t *testing.T, opts ...clientcredentials.Option) (*clientcredentials.Source, *server, *vault, *hand) {
	t.Helper()
	s, v, clock := newServer(t), &vault{value: "hunter2"}, &hand{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	src := clientcredentials.New(s.URL+"/token?tenant=7", "orders", secrets.New(v), "client-secret", opts...)
	clientcredentials.SetClock(src, clock.Now)
	return src, s, v, clock
}

func want(t *testing.T, src *clientcredentials.Source, rule, text string) {
	t.Helper()
	token, err := src.Token(t.Context())
	if err != nil || token.Text() != text {
		t.Errorf("%s: got %q, %v, want %s", rule, token.Text(), err, text)
	}
}

// shows reports whether an error shows what it must not.
func shows(err error) bool {
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	return strings.Contains(text, "hunter") || strings.Contains(text, "token-") || strings.Contains(text, "quoted")
}
