// Package routekey parses the route keys of API Gateway: "GET /orders/{id}",
// "ANY /files/{proxy+}", "$default".
package routekey

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Any is the method of a route that takes all of them.
const Any = "ANY"

// Methods returns the methods that API Gateway has routes for.
func Methods() []string {
	return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
}

// parameter and greedy stand for parameters among the segments of a route. The
// gateway does not compare their names.
const (
	parameter = "{}"
	greedy    = "{+}"
)

// Route is a parsed route key.
type Route struct {
	Key      string // as it was written; "" for [Other]
	Method   string // "" for $default, $connect and Other
	shape    string
	segments []string
}

// Other stands for the calls of no route in a table.
func Other() *Route { return &Route{segments: []string{greedy}} }

// Parse parses a route key. It reports false for one that the gateway refuses.
func Parse(key string) (*Route, bool) {
	switch key {
	case "$connect":
		return &Route{Key: key, shape: key}, true
	case "$default":
		return &Route{Key: key, shape: key, segments: []string{greedy}}, true
	}
	method, template, ok := strings.Cut(key, " ")
	if !ok || method != Any && !slices.Contains(Methods(), method) || !strings.HasPrefix(template, "/") {
		return nil, false
	}
	r := &Route{Key: key, Method: method, shape: key}
	if template == "/" {
		return r, true
	}
	for text := range strings.SplitSeq(template[1:], "/") {
		segment, ok := parseSegment(text)
		if !ok || r.CatchAll() { // only the last parameter can be greedy
			return nil, false
		}
		r.segments = append(r.segments, segment)
	}
	r.shape = method + " /" + strings.Join(r.segments, "/")
	return r, true
}

func parseSegment(text string) (string, bool) {
	name, braced := strings.CutPrefix(text, "{")
	if !braced {
		return text, text != "" && !strings.ContainsAny(text, "{}*?%")
	}
	name, closed := strings.CutSuffix(name, "}")
	name, more := strings.CutSuffix(name, "+")
	if !closed || name == "" || strings.ContainsAny(name, "{}+") {
		return "", false
	}
	if more {
		return greedy, true
	}
	return parameter, true
}

func literal(segment string) bool { return segment[0] != '{' }

// Literal reports whether the route has a segment i that is no parameter, and
// returns it.
func (r *Route) Literal(i int) (string, bool) {
	if i >= len(r.segments) || !literal(r.segments[i]) {
		return "", false
	}
	return r.segments[i], true
}

// Len returns how many segments the route has.
func (r *Route) Len() int { return len(r.segments) }

// Shape is the key without the names of parameters. The gateway takes two routes
// of one shape for one.
func (r *Route) Shape() string { return r.shape }

// Template is the path in the shape, and the key of a route without a method.
func (r *Route) Template() string { return strings.TrimPrefix(r.shape, r.Method+" ") }

// Pattern is the path in the form of [http.ServeMux].
func (r *Route) Pattern() string {
	if r.Key == "$default" {
		return "/"
	}
	if len(r.segments) == 0 {
		return "/{$}"
	}
	pattern := ""
	for i, s := range r.segments {
		switch s {
		case greedy:
			s = "{p" + strconv.Itoa(i) + "...}"
		case parameter:
			s = "{p" + strconv.Itoa(i) + "}"
		}
		pattern += "/" + s
	}
	return pattern
}

// Path returns the first n segments as a path without a slash at its end.
func (r *Route) Path(n int) string {
	path := ""
	for _, s := range r.segments[:n] {
		path += "/" + s
	}
	return path
}

// Literals counts the segments in front of the first parameter.
func (r *Route) Literals() int {
	n := 0
	for n < len(r.segments) && literal(r.segments[n]) {
		n++
	}
	return n
}

// Fixed reports whether the route has one path and no parameters.
func (r *Route) Fixed() bool { return r.Method != "" && r.Literals() == len(r.segments) }

// CatchAll reports whether the route takes paths of any length.
func (r *Route) CatchAll() bool {
	return len(r.segments) > 0 && r.segments[len(r.segments)-1] == greedy
}

// Methods returns the methods that the route takes, apart from the HEAD of a GET.
func (r *Route) Methods() []string {
	if r.Method == "" || r.Method == Any {
		return Methods()
	}
	return []string{r.Method}
}

// takes reports whether some call of q may be one of r.
func (r *Route) takes(q *Route) bool {
	return r.Key == "$default" || r.sharesMethod(q) && overlap(r.segments, q.segments)
}

func (r *Route) sharesMethod(q *Route) bool {
	return r.Method == Any || q.Method == Any || r.Method == q.Method ||
		r.Method == http.MethodHead && q.Method == http.MethodGet
}

// Below reports whether some call of r, also with an extra slash, is below the
// prefix of the first parameter of q.
func (r *Route) Below(q *Route) bool {
	return overlap(r.segments, append(slices.Clone(q.segments[:q.Literals()]), greedy))
}

// overlap reports whether some path fits both lists. A greedy parameter may here
// be empty.
func overlap(a, b []string) bool {
	for i := 0; ; i++ {
		switch {
		case i < len(a) && a[i] == greedy, i < len(b) && b[i] == greedy:
			return true
		case i == len(a) || i == len(b):
			return len(a) == len(b)
		case literal(a[i]) && literal(b[i]) && a[i] != b[i]:
			return false
		}
	}
}

// before reports whether the gateway prefers r to q for a call that both match. A
// literal goes before a parameter, a parameter before a greedy one, and $default is
// last. For one path the method goes before ANY.
func (r *Route) before(q *Route) bool {
	if r.Key == "$default" || q.Key == "$default" {
		return q.Key == "$default" && r.Key != q.Key
	}
	for i := range min(len(r.segments), len(q.segments)) {
		if a, b := rank(r.segments[i]), rank(q.segments[i]); a != b {
			return a < b
		}
	}
	return r.Method != Any && q.Method == Any
}

func rank(segment string) int {
	switch {
	case literal(segment):
		return 0
	case segment == parameter:
		return 1
	default:
		return 2
	}
}
