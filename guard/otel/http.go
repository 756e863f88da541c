package otel

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// httpAttributes appends what is known of a request before it is handled. The path,
// the query and the headers of a caller are not in it, except for what the gateway
// vouches for.
func httpAttributes(attrs []attribute.KeyValue, r *request.Request) []attribute.KeyValue {
	method := r.Method()
	if isKnown(method) {
		attrs = append(attrs, semconv.HTTPRequestMethodKey.String(method))
	} else {
		attrs = append(attrs, semconv.HTTPRequestMethodOther)
		if isToken(method) {
			attrs = append(attrs, semconv.HTTPRequestMethodOriginal(method))
		}
	}
	if route := httpRoute(r.RouteKey()); route != "" {
		attrs = append(attrs, semconv.HTTPRoute(route))
	}
	if scheme := scheme(r); scheme != "" {
		attrs = append(attrs, semconv.URLScheme(scheme))
	}
	if domain := plain(r.Domain(), "-.", 253); domain != "" { // of the gateway; a Host header would be the caller's
		attrs = append(attrs, semconv.ServerAddress(domain))
	}
	return attrs
}

// scheme returns the scheme of a request. API Gateway and function URLs have no
// other than https, and a load balancer replaces what a caller says of it.
func scheme(r *request.Request) string {
	switch r.Trigger() {
	case guard.HTTPAPI, guard.REST, guard.FunctionURL:
		return "https"
	case guard.ALB:
		if s := r.Header("x-forwarded-proto"); s == "http" || s == "https" {
			return s
		}
	}
	return ""
}

// httpName returns the name of a span, which has few values:
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name
func httpName(method, route string) string {
	if !isKnown(method) {
		method = "HTTP"
	}
	if route == "" {
		return method
	}
	return method + " " + route
}

// httpRoute returns the path in a pattern like "GET /orders/{id}", "" if there is
// none, as in "$default". A pattern is from the program or from the configuration
// of the API. Only who forges an event can choose another, and no long one.
func httpRoute(pattern string) string {
	i := strings.IndexByte(pattern, '/')
	if i < 0 || len(pattern)-i > 256 || strings.ContainsFunc(pattern[i:], func(r rune) bool { return r <= ' ' || r > '~' || r == '?' }) {
		return ""
	}
	return pattern[i:]
}

// isKnown reports whether the conventions know a method.
func isKnown(method string) bool {
	switch method {
	case "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE":
		return true
	default:
		return false
	}
}

// isToken reports whether a text is a method at all and no long one:
// https://www.rfc-editor.org/rfc/rfc9110#name-tokens
func isToken(text string) bool {
	return plain(text, "!#$%&'*+-.^_`|~", 32) != ""
}
