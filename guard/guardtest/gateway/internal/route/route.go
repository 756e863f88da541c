// Package route finds the route that a request takes, as API Gateway does.
package route

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Default is the key of the route that takes what no other route takes.
const Default = "$default"

const anyMethod = "ANY"

// A Route is a route of an HTTP API, or a method of a REST API's resource.
type Route struct {
	Key    string
	method string // ANY for all methods; empty for $default
	parts  []part
}

// A part is a segment of a route's path.
type part struct {
	kind kind
	text string // of a variable, its name
}

// kinds are in the order in which they are tried.
type kind int

const (
	fixed    kind = iota
	variable      // {name}
	greedy        // {name+}, the last segment
)

// Parse parses a route key. That is "$default", or a method or ANY, a space and a path.
// Segments of the path may be variables, "{id}", and the last may be greedy, "{proxy+}". See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func Parse(key string) (Route, error) {
	if key == Default {
		return Route{Key: key}, nil
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " ?#") {
		return Route{}, fmt.Errorf(`gateway: route %q is not "METHOD /path" or "$default"`, key)
	}
	if !slices.Contains([]string{anyMethod, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}, method) {
		return Route{}, fmt.Errorf("gateway: route %q: %q is not a method of an HTTP API", key, method)
	}
	r := Route{Key: key, method: method}
	if path == "/" {
		return r, nil
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		p := parsePart(segment)
		switch {
		case segment == "":
			return Route{}, fmt.Errorf("gateway: route %q has an empty segment", key)
		case strings.ContainsAny(p.text, "{}") || p.kind != fixed && strings.Contains(p.text, "+"):
			return Route{}, fmt.Errorf("gateway: route %q: %q is neither a name nor a variable", key, segment)
		case p.kind != fixed && (p.text == "" || slices.ContainsFunc(r.parts, func(other part) bool { return other.kind != fixed && other.text == p.text })):
			return Route{}, fmt.Errorf("gateway: route %q: a variable needs a name of its own", key)
		case r.isGreedy():
			return Route{}, fmt.Errorf("gateway: route %q: only the last segment can be greedy", key)
		}
		r.parts = append(r.parts, p)
	}
	return r, nil
}

func parsePart(segment string) part {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return part{fixed, segment}
	}
	if name, ok := strings.CutSuffix(segment[1:len(segment)-1], "+"); ok {
		return part{greedy, name}
	}
	return part{variable, segment[1 : len(segment)-1]}
}

// ParseAll returns the routes in the order in which they are tried: routes that
// match the full path, routes with a greedy variable, $default. Among equals,
// fixed segments come before variables, from the left, and a method before ANY.
// Two routes that match the same requests are an error.
func ParseAll(keys []string) ([]Route, error) {
	var routes []Route
	for _, key := range keys {
		r, err := Parse(key)
		if err != nil {
			return nil, err
		}
		for _, other := range routes {
			if other.method == r.method && other.SamePaths(r) {
				return nil, fmt.Errorf("gateway: routes %q and %q match the same requests", other.Key, r.Key)
			}
		}
		routes = append(routes, r)
	}
	slices.SortStableFunc(routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.class(), b.class()), compareParts(a.parts, b.parts), cmp.Compare(a.breadth(), b.breadth()))
	})
	return routes, nil
}

func (r Route) class() int {
	switch {
	case r.method == "":
		return 2
	case r.isGreedy():
		return 1
	default:
		return 0
	}
}

func compareParts(a, b []part) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(a[i].kind, b[i].kind); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(b), len(a))
}

func (r Route) breadth() int {
	if r.method == anyMethod {
		return 1
	}
	return 0
}

func (r Route) isGreedy() bool { return len(r.parts) > 0 && r.parts[len(r.parts)-1].kind == greedy }

// SamePaths reports whether both routes match the same paths.
func (r Route) SamePaths(other Route) bool {
	return slices.EqualFunc(r.parts, other.parts, func(a, b part) bool {
		return a.kind == b.kind && (a.kind != fixed || a.text == b.text)
	})
}

// Path returns the route's path, which a REST API calls the resource.
func (r Route) Path() string {
	_, path, ok := strings.Cut(r.Key, " ")
	if !ok {
		return Default
	}
	return path
}

// Match returns the path's variables, nil when there are none. The method is
// compared exactly: a HEAD does not take a GET route. A greedy variable may be
// empty: "/x/" takes "ANY /x/{proxy+}".
func (r Route) Match(method string, given []Segment) (variables map[string]string, ok bool) {
	if r.method == "" {
		return nil, true
	}
	if r.method != anyMethod && r.method != method || len(given) < len(r.parts) || len(given) > len(r.parts) && !r.isGreedy() {
		return nil, false
	}
	for i, p := range r.parts {
		value := given[i].value
		switch {
		case p.kind == fixed && p.text != given[i].fixed, p.kind == variable && value == "":
			return nil, false
		case p.kind == fixed:
			continue
		case p.kind == greedy:
			for _, more := range given[i+1:] {
				value += "/" + more.value
			}
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[p.text] = value
	}
	return variables, true
}

// First returns the route that is taken. A route of another method is passed
// over, of a REST API too: a more general resource steps in.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
// and for REST APIs https://github.com/ministackorg/ministack/pull/1423 and
// https://github.com/floci-io/floci/pull/3399
func First(routes []Route, method string, given []Segment) (r Route, variables map[string]string, ok bool) {
	for _, r := range routes {
		if variables, ok := r.Match(method, given); ok {
			return r, variables, true
		}
	}
	return Route{}, nil, false
}
