package httpapi

import (
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// splitPath takes off what is not the function's part of the path: the stage
// that an execute-api address has in front, and the base path that maps a
// custom domain to the API. path is decoded, escaped is not.
func splitPath(in *events.APIGatewayV2HTTPRequest) (prefix, path, escaped string) {
	escaped = in.RawPath
	path, err := url.PathUnescape(escaped)
	if err != nil { // it came decoded, with a % of its own
		path, escaped = in.RawPath, (&url.URL{Path: in.RawPath}).EscapedPath()
	}
	if path == "" {
		return "", "/", "/"
	}
	prefix = foreignPrefix(in, path)
	if !strings.HasPrefix(escaped, prefix) { // escaped in a way of its own
		prefix = ""
	}
	path, escaped = path[len(prefix):], escaped[len(prefix):]
	if path == "" {
		path, escaped = "/", "/"
	}
	return prefix, path, escaped
}

func foreignPrefix(in *events.APIGatewayV2HTTPRequest, path string) string {
	if _, template, ok := strings.Cut(in.RouteKey, " "); ok {
		// The gateway matched the template to the end of the path.
		own := strings.TrimSuffix(expand(template, in.PathParameters), "/")
		prefix, found := strings.CutSuffix(strings.TrimSuffix(path, "/"), own)
		if found && (prefix == "" || prefix[0] == '/') {
			return strings.TrimSuffix(prefix, "/")
		}
		return ""
	}
	stage := in.RequestContext.Stage
	if stage == "" || stage == "$default" || !onExecuteAPI(in.RequestContext.DomainName) {
		return ""
	}
	prefix := "/" + stage
	if path == prefix || strings.HasPrefix(path, prefix+"/") {
		return prefix
	}
	return ""
}

// expand puts the values into a route's template: "/orders/{id}", "/{proxy+}".
func expand(template string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(values[strings.TrimSuffix(name, "+")])
		template = after
	}
}

// onExecuteAPI reports whether domain is the API's own and not a custom one.
func onExecuteAPI(domain string) bool {
	return strings.Contains(domain, ".execute-api.")
}
