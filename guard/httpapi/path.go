package httpapi

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/routepath"
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
	_, template, _ := strings.Cut(in.RouteKey, " ")
	prefix, ok := routepath.Prefix(path, template, func(name string) (value string, ok bool) {
		value, ok = values()[name]
		return value, ok
	})
	if ok {
		return prefix
	}
	stage := in.Stage
	if stage == "" || stage == "$default" || !onExecuteAPI(in.DomainName) {
		return ""
	}
	prefix = "/" + stage
	if path == prefix || strings.HasPrefix(path, prefix+"/") {
		return prefix
	}
	return ""
}

// onExecuteAPI reports whether domain is the API's own and not a custom one.
func onExecuteAPI(domain string) bool {
	return strings.Contains(domain, ".execute-api.")
}
