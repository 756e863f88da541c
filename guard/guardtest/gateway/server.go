package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// A Server is an API on a loopback port until the end of a test, and a client of
// it.
type Server struct {
	*httptest.Server
	t testing.TB
}

// An Answer is what a client of a [Server] gets.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Start puts an HTTP API before fn until the end of the test. It ends the test
// when the configuration is wrong.
func Start(t testing.TB, fn guardtest.Invoker, cfg HTTPAPIConfig) *Server {
	t.Helper()
	api, err := NewHTTPAPI(fn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return Serve(t, api)
}

// Serve puts any API on a port until the end of the test: a [RESTAPI], an [ALB].
func Serve(t testing.TB, api http.Handler) *Server {
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return &Server{server, t}
}

// Do sends a request and returns the answer. The headers are names, each with
// its value behind it. A body is JSON unless Content-Type is among them; an empty
// value takes a header away. Redirects are not followed. A request without an
// answer fails the test and returns the zero Answer. Do may be called by several
// goroutines at once.
func (s *Server) Do(method, path, body string, headers ...string) Answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return Answer{}
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch name, value := headers[i], headers[i+1]; {
		case value == "":
			r.Header.Del(name)
		case strings.EqualFold(name, "Content-Type"):
			r.Header.Set(name, value)
		default:
			r.Header.Add(name, value)
		}
	}
	res, err := s.Client().Transport.RoundTrip(r)
	if err != nil {
		s.t.Error(err)
		return Answer{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Error(err)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}
