package jwt_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// A keyServer serves keys over TLS, and counts what it is asked for.
type keyServer struct {
	*httptest.Server

	mu     sync.Mutex
	answer http.HandlerFunc
	asked  map[string]int // path → requests
}

const keyPath = "/keys"

func newKeyServer(t testing.TB, answer http.HandlerFunc) *keyServer {
	s := &keyServer{answer: answer, asked: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// answers makes it answer otherwise from now on.
func (s *keyServer) answers(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *keyServer) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *keyServer) expect(t *testing.T, when string, requests int) {
	t.Helper()
	if got := s.count(keyPath); got != requests {
		t.Errorf("%s: %d requests, want %d", when, got, requests)
	}
}

// serve answers with a body and the values of Cache-Control.
func serve(body []byte, cacheControl ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range cacheControl {
			w.Header().Add("Cache-Control", c)
		}
		_, _ = w.Write(body)
	}
}

func fail(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

// A testClock stands until it is moved.
type testClock struct{ at atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.at.Store(now.UnixNano())
	return c
}

func (c *testClock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *testClock) move(d time.Duration)    { c.at.Add(int64(d)) }
func (c *testClock) set(since time.Duration) { c.at.Store(now.Add(since).UnixNano()) }

// remote makes a verifier of keys that the server has, and its clock.
func remote(t testing.TB, s *keyServer) (*jwt.Verifier, *testClock) {
	t.Helper()
	return started(jwt.Config{
		Issuer: issuer, Audiences: []string{audience}, Keys: jwt.JWKS(s.URL + keyPath), HTTPClient: s.Client(),
	})
}

// started makes a verifier and its clock. It waits for answers as long as a test
// may take, however slow the machine is.
func started(c jwt.Config) (*jwt.Verifier, *testClock) {
	clock := newTestClock()
	v := jwt.New(c)
	v.SetClock(clock.now)
	v.SetFetchTimeout(time.Minute)
	return v, clock
}

// lasting are claims of a token that outlives what a test does with the clock.
func lasting() string { return claims(map[string]any{"exp": now.Add(1000 * time.Hour).Unix()}) }

func expectCode(t *testing.T, v *jwt.Verifier, when, token, code string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); codeOf(err) != code {
		t.Errorf("%s: %v, want %q", when, err, code)
	}
}

const outage = "unavailable/token_keys_unavailable"
