// Package routepath tells what of a request's path is in front of the route
// that a gateway has matched. The checks of a function and its routes both go
// by it: if they did not agree, a call could be judged as another than it is.
package routepath

import (
	"net/url"
	"strings"
)

// Prefix is what stands in path before what the gateway has matched with the
// template of a route, "/orders/{id}", "/{proxy+}", as value tells the values of
// its parameters: the base path of a custom domain, or a stage. It reports false
// where that cannot be told, for a template whose values are not all there, or
// that is not the end of the path.
func Prefix(path, template string, value func(name string) (string, bool)) (prefix string, ok bool) {
	own, ok := expand(template, value)
	if !ok {
		return "", false
	}
	path, own = strings.TrimSuffix(path, "/"), strings.TrimSuffix(own, "/")
	prefix, ok = strings.CutSuffix(path, own)
	if decoded, err := url.PathUnescape(own); !ok && err == nil { // not every value comes decoded
		prefix, ok = strings.CutSuffix(path, decoded)
	}
	if !ok || prefix != "" && (prefix[0] != '/' || prefix[len(prefix)-1] == '/' || strings.Contains(prefix, "//")) {
		return "", false // no base path, and one of two slashes would be another host
	}
	return prefix, true
}

// expand puts values into a template. The value of a greedy parameter can be
// empty: "/x/" is matched by "/x/{proxy+}".
func expand(template string, value func(name string) (string, bool)) (path string, ok bool) {
	if template == "" {
		return "", false
	}
	for {
		before, rest, found := strings.Cut(template, "{")
		path += before
		if !found {
			return path, true
		}
		name, after, _ := strings.Cut(rest, "}")
		name, greedy := strings.CutSuffix(name, "+")
		v, there := value(name)
		if !there || v == "" && !greedy {
			return "", false
		}
		path, template = path+v, after
	}
}
