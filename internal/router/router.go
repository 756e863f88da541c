// Package router finds the route of a request by net/http's patterns. The
// checks of a function and its handlers both ask here: if they did not agree, a
// call could be judged as another than it is.
package router

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Table holds a value for each pattern, "POST /orders", "GET /orders/{id}",
// "/files/{path...}". It matches as [http.ServeMux] does: the most specific
// pattern goes first, and GET takes HEAD as well.
type Table[T any] struct{ mux http.ServeMux }

// Add adds a pattern. The error is that of one which is malformed, or conflicts
// with another.
func (t *Table[T]) Add(pattern string, value T) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("%v", why)
		}
	}()
	t.mux.Handle(pattern, &route[T]{pattern, value})
	return nil
}

// route is what the mux finds. Serving it tells the match, and no more.
type route[T any] struct {
	pattern string
	value   T
}

func (rt *route[T]) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := w.(*Match[T])
	m.Pattern, m.Value, m.Request = rt.pattern, rt.value, r
}

// Match is what a table has for a request.
type Match[T any] struct {
	Pattern string        // "" where nothing matches
	Value   T             // of the pattern
	Request *http.Request // with the values of the wildcards
	Status  int           // where nothing matches: 404, 405, or of a redirect to the path with a slash
	header  http.Header   // beside the status
}

// Location returns where a redirect goes to, "" where there is none: from the last
// segment on, as an event does not always have what stands in front of its path.
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

// Header, WriteHeader and Write take what a mux answers itself.
func (m *Match[T]) Header() http.Header            { return m.header }
func (m *Match[T]) WriteHeader(status int)         { m.Status = status }
func (m *Match[T]) Write(text []byte) (int, error) { return len(text), nil }

// Find returns what the table has for a request, of which an authorizer's event
// may tell the method in its ARN alone. The error is a [*guard.Error]: that of a
// path which two readers could take for two.
func (t *Table[T]) Find(in *request.Request, method string) (*Match[T], error) {
	at, err := Path(in)
	if err != nil {
		return nil, err
	}
	m := t.find(in, method, at)
	if in.Trigger() == request.REST && m.Location() != "" { // a slash is nothing to it, so the redirect would lead back
		m = t.find(in, method, at+"/")
	}
	if !sentAsWritten(m.Pattern, in.Sent()) {
		return nil, ambiguous()
	}
	return m, nil
}

func (t *Table[T]) find(in *request.Request, method, at string) *Match[T] {
	m := &Match[T]{header: http.Header{}}
	t.mux.ServeHTTP(m, &http.Request{Method: method, Host: Host(in), URL: &url.URL{Path: at, RawQuery: in.RawQuery()}})
	return m
}

// Path returns the path of a request, or why it has none that is plain.
func Path(in *request.Request) (string, error) {
	at, ok := in.Path()
	if !ok {
		return "", ambiguous()
	}
	return at, nil
}

// Host returns the name that the request was sent to, in lower case.
func Host(in *request.Request) string {
	host := in.Domain()
	if host == "" {
		host = in.Header("host")
	}
	return strings.ToLower(host)
}

func ambiguous() error {
	return guard.Errorf(guard.Invalid, "path_ambiguous",
		`The path has an empty segment, "." or "..", a backslash, a control character, or an escape that is not needed or not final.`)
}

// sentAsWritten reports whether the literals of a pattern stand in the path as
// they were sent. Where one was escaped, the gateway may have taken the path for
// another route than this.
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
