package gateway

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Route is a route of an HTTP API.
type Route struct {
	key      string
	method   string // ANY for all methods; empty for $default
	segments []string
	greedy   bool // the last segment is {name+}
}

const (
	defaultRouteKey = "$default"
	anyMethod       = "ANY"
)

// ParseRoute reads a route key: "$default", or a method or ANY, a space and a path
// whose segments may be variables, "{id}", the last of them greedy, "{proxy+}".
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func ParseRoute(key string) (Route, error) {
	if key == defaultRouteKey {
		return Route{key: key}, nil
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " ?#") {
		return Route{}, fmt.Errorf(`gateway: route %q is not "METHOD /path" or "$default"`, key)
	}
	switch method {
	case anyMethod, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodHead, http.MethodOptions:
	default:
		return Route{}, fmt.Errorf("gateway: route %q: %q is not a method of an HTTP API", key, method)
	}
	route := Route{key: key, method: method, segments: strings.Split(path[1:], "/")}
	if path == "/" {
		route.segments = nil
	}
	names := map[string]bool{}
	for i, segment := range route.segments {
		name, isVariable := variable(segment)
		switch {
		case segment == "":
			return Route{}, fmt.Errorf("gateway: route %q has an empty segment", key)
		case !isVariable && strings.ContainsAny(segment, "{}"):
			return Route{}, fmt.Errorf("gateway: route %q: %q is neither a name nor a variable", key, segment)
		case isVariable && (name == "" || names[name]):
			return Route{}, fmt.Errorf("gateway: route %q: a variable needs a name of its own", key)
		case isGreedy(segment) && i != len(route.segments)-1:
			return Route{}, fmt.Errorf("gateway: route %q: only the last segment can be greedy", key)
		}
		if isVariable {
			names[name] = true
		}
		route.greedy = isGreedy(segment)
	}
	return route, nil
}

// parseRoutes returns the routes in the order in which they are tried.
func parseRoutes(keys []string) ([]Route, error) {
	var routes []Route
	seen := map[string]Route{}
	for _, key := range keys {
		route, err := ParseRoute(key)
		if err != nil {
			return nil, err
		}
		if other, ok := seen[route.shape()]; ok {
			return nil, fmt.Errorf("gateway: routes %q and %q match the same requests", other, route)
		}
		seen[route.shape()] = route
		routes = append(routes, route)
	}
	sortRoutes(routes)
	return routes, nil
}

// String returns the route key.
func (r Route) String() string { return r.key }

func variable(segment string) (name string, ok bool) {
	if !strings.HasPrefix(segment, "{") || !strings.HasSuffix(segment, "}") {
		return "", false
	}
	name = strings.TrimSuffix(segment[1:len(segment)-1], "+")
	return name, !strings.ContainsAny(name, "{}+")
}

func isGreedy(segment string) bool { return strings.HasSuffix(segment, "+}") }

// path of the route, as REST events name the resource.
func (r Route) path() string {
	if r.method == "" {
		return defaultRouteKey
	}
	return "/" + strings.Join(r.segments, "/")
}

// shape is the same for routes that match the same requests.
func (r Route) shape() string {
	parts := slices.Clone(r.segments)
	for i, segment := range parts {
		if _, ok := variable(segment); ok {
			parts[i] = "{}"
		}
	}
	if r.greedy {
		parts[len(parts)-1] = "{+}"
	}
	return r.method + " /" + strings.Join(parts, "/")
}

// match returns the path's variables, nil when there are none. The method is
// compared exactly: a HEAD is not of a GET route. Of an HTTP API a greedy
// variable may be empty: "/x/" is of "ANY /x/{proxy+}".
func (r Route) match(method string, given []segment) (variables map[string]string, ok bool) {
	if r.method == "" {
		return nil, true
	}
	if r.method != anyMethod && r.method != method {
		return nil, false
	}
	if len(given) < len(r.segments) || len(given) > len(r.segments) && !r.greedy {
		return nil, false
	}
	for i, segment := range r.segments {
		value := given[i].value
		name, isVariable := variable(segment)
		if !isVariable {
			if segment != given[i].fixed {
				return nil, false
			}
			continue
		}
		if isGreedy(segment) {
			value = joinValues(given[i:])
		}
		if value == "" && !isGreedy(segment) {
			return nil, false
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = value
	}
	return variables, true
}

func joinValues(segments []segment) string {
	values := make([]string, len(segments))
	for i, s := range segments {
		values[i] = s.value
	}
	return strings.Join(values, "/")
}

// firstMatch finds the route that is taken. One of another method is passed
// over, of a REST API too: a more general resource steps in.
//
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
// and for REST APIs https://github.com/ministackorg/ministack/pull/1423 and
// https://github.com/floci-io/floci/pull/3399
func firstMatch(routes []Route, method string, given []segment) (route Route, variables map[string]string, ok bool) {
	for _, route := range routes {
		if variables, ok := route.match(method, given); ok {
			return route, variables, true
		}
	}
	return Route{}, nil, false
}

// sortRoutes brings them into the order in which they are tried: routes that
// match the full path, routes with a greedy variable, $default. Among equals,
// fixed segments come before variables, from the left, and a method before ANY.
func sortRoutes(routes []Route) {
	slices.SortStableFunc(routes, func(a, b Route) int {
		return cmp.Or(
			cmp.Compare(a.class(), b.class()),
			compareSegments(a.segments, b.segments),
			cmp.Compare(rank(a.method == anyMethod), rank(b.method == anyMethod)),
		)
	})
}

func (r Route) class() int {
	switch {
	case r.method == "":
		return 2
	case r.greedy:
		return 1
	default:
		return 0
	}
}

func compareSegments(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(segmentRank(a[i]), segmentRank(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(b), len(a))
}

func segmentRank(segment string) int {
	_, isVariable := variable(segment)
	return rank(isVariable) + rank(isGreedy(segment))
}

func rank(later bool) int {
	if later {
		return 1
	}
	return 0
}
