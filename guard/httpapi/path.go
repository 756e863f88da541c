package httpapi

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// splitPath takes off what is not the function's part of the path: the stage
// that an execute-api address has in front, and the base path that maps a
// custom domain to the API. path is decoded, escaped is not.
func splitPath(in *guard.Request, values func() map[string]string) (prefix, path, escaped string) {
	escaped = in.RawPath
	path, err := url.PathUnescape(escaped)
	if err != nil { // it came decoded, with a % of its own
		path, escaped = in.RawPath, (&url.URL{Path: in.RawPath}).EscapedPath()
	}
	if path == "" {
		return "", "/", "/"
	}
	prefix = foreignPrefix(in, path, values)
	if !strings.HasPrefix(escaped, prefix) || strings.Contains(prefix, "%") { // escaped in a way of its own
		prefix = ""
	}
	path, escaped = path[len(prefix):], escaped[len(prefix):]
	if path == "" {
		path, escaped = "/", "/"
	}
	return prefix, path, escaped
}

func foreignPrefix(in *guard.Request, path string, values func() map[string]string) string {
	if prefix, ok := before(path, in.RouteKey, values); ok {
		return prefix
	}
	stage := in.Stage
	if stage == "" || stage == "$default" || !onExecuteAPI(in.DomainName) {
		return ""
	}
	prefix := "/" + stage
	if path == prefix || strings.HasPrefix(path, prefix+"/") {
		return prefix
	}
	return ""
}

// before gives what stands before the path that a gateway has matched with a
// route's template: it matches the end of a path.
func before(path, route string, values func() map[string]string) (prefix string, ok bool) {
	_, template, ok := strings.Cut(route, " ")
	if !ok {
		return "", false
	}
	own, ok := expand(template, values)
	if !ok {
		return "", false
	}
	path, own = strings.TrimSuffix(path, "/"), strings.TrimSuffix(own, "/")
	prefix, ok = strings.CutSuffix(path, own)
	if decoded, err := url.PathUnescape(own); !ok && err == nil { // not every value comes decoded
		prefix, ok = strings.CutSuffix(path, decoded)
	}
	return strings.TrimRight(prefix, "/"), ok && (prefix == "" || prefix[0] == '/')
}

// expand puts the values into a route's template, "/orders/{id}", "/{proxy+}",
// and reports whether they were all there.
func expand(template string, values func() map[string]string) (path string, ok bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, _ := strings.Cut(rest, "}")
		value := values()[strings.TrimSuffix(name, "+")]
		if value == "" {
			return "", false
		}
		b.WriteString(value)
		template = after
	}
}

// onExecuteAPI reports whether domain is the API's own and not a custom one.
func onExecuteAPI(domain string) bool {
	return strings.Contains(domain, ".execute-api.")
}
