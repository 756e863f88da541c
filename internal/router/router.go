// Package router finds the route of a request by net/http's patterns. The checks of
// a function and its handlers both use it: if they differed, a call could be
// checked as one route and run as another.
package router

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// The code and the detail of the error for an ambiguous path.
const (
	AmbiguousCode   = "path_ambiguous"
	AmbiguousDetail = `The path has an empty segment, "." or "..", a backslash, a control character, or an escape that is not needed or not final.`
)

// Request is the part of a request that determines its route.
type Request interface {
	// Path returns the decoded path, and false if it is ambiguous.
	Path() (string, bool)
	// Sent returns the path's segments as they were sent, nil if that is unknown.
	Sent() []string
	RawQuery() string
	Host() string
	// IgnoresSlash reports whether a slash at the end of the path was dropped.
	IgnoresSlash() bool
}

// Table holds a value for each pattern: "POST /orders", "GET /orders/{id}",
// "/files/{path...}". It matches as [http.ServeMux] does: the most specific
// pattern goes first, and GET takes HEAD as well.
type Table[T any] struct{ mux http.ServeMux }

// Add adds a pattern. It is an error if it is malformed or conflicts with another.
func (t *Table[T]) Add(pattern string, value T) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("%v", why)
		}
	}()
	t.mux.Handle(pattern, route[T]{pattern, value})
	return nil
}

// route is the handler that the mux finds. Serving it notes the match.
type route[T any] struct {
	pattern string
	value   T
}

func (rt route[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := w.(*Match[T])
	m.Pattern, m.Value, m.Request = rt.pattern, rt.value, r
}

// Match is the result of looking a request up in a table.
type Match[T any] struct {
	Pattern string        // "" if nothing matches
	Value   T             // of the pattern
	Request *http.Request // with the values of the wildcards
	Status  int           // if nothing matches: 404, 405, or of a redirect to the path with a slash
	header  http.Header   // beside the status
}

// Location returns the target of a redirect, "" if there is none. It begins with
// the last segment, as an event does not always have what precedes its path.
func (m *Match[T]) Location() string {
	sent, err := url.Parse(m.header.Get("Location"))
	if err != nil || sent.Path == "" {
		return ""
	}
	last := path.Base(sent.Path) + "/"
	return (&url.URL{Path: last, RawQuery: sent.RawQuery}).String()
}

// Allow returns the methods that a 405 names.
func (m *Match[T]) Allow() string { return m.header.Get("Allow") }

// Header, WriteHeader and Write take the answers of the mux itself.
func (m *Match[T]) Header() http.Header            { return m.header }
func (m *Match[T]) WriteHeader(status int)         { m.Status = status }
func (m *Match[T]) Write(text []byte) (int, error) { return len(text), nil }

// Find returns the match of a request, and false if its path is ambiguous. The
// method is apart, as an authorizer's event may have it in an ARN alone.
func (t *Table[T]) Find(r Request, method string) (*Match[T], bool) {
	at, ok := r.Path()
	if !ok {
		return nil, false
	}
	m := t.match(r, method, at)
	if r.IgnoresSlash() && m.Location() != "" { // the redirect would lead back
		m = t.match(r, method, at+"/")
	}
	return m, sentAsWritten(m.Pattern, r.Sent())
}

func (t *Table[T]) match(r Request, method, at string) *Match[T] {
	m := &Match[T]{header: http.Header{}}
	t.mux.ServeHTTP(m, &http.Request{Method: method, Host: r.Host(), URL: &url.URL{Path: at, RawQuery: r.RawQuery()}})
	return m
}

// sentAsWritten reports whether the client sent the literals of a pattern as they
// are written. If one was escaped, the gateway may have matched another route.
func sentAsWritten(pattern string, sent []string) bool {
	_, template, ok := strings.Cut(pattern, "/")
	if !ok || sent == nil {
		return true
	}
	for i, literal := range strings.Split(template, "/") {
		if i >= len(sent) || literal == "" || literal[0] == '{' {
			continue
		}
		if plain, err := url.PathUnescape(literal); err == nil {
			literal = plain
		}
		if sent[i] != literal && sent[i] != url.PathEscape(literal) {
			return false
		}
	}
	return true
}
