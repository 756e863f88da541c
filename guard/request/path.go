package request

import (
	"net/url"
	"strings"
)

// RawPath returns the path as the event has it: decoded by an HTTP API, and
// otherwise as the client sent it. It may begin with a stage or a domain's base
// path.
func (r *Request) RawPath() string {
	switch r.trigger {
	case VPCLattice:
		sent, _, _ := strings.Cut(r.text(path), "?")
		return sent
	case Authorizer:
		if r.is(kind, "TOKEN") {
			return callPath(r.text(methodARN))
		}
	}
	return r.first(rawPath, path)
}

// Path returns the path that routes are matched against: decoded once, without
// the stage and the base path in front. If the event has the route that the
// gateway has taken, it is the path that the gateway has matched.
//
// ok is false for an ambiguous path: one with a percent sign left in it, a
// backslash, a control character, an empty segment, a dot segment or an encoded
// slash.
func (r *Request) Path() (path string, ok bool) {
	r.find.Do(r.findPath)
	return r.routed, !r.ambiguous
}

// BasePath returns the stage or base path in front of the path, as the event has
// it. It is "" if there is none, or if its end cannot be found.
func (r *Request) BasePath() string {
	r.find.Do(r.findPath)
	return r.prefix
}

// Sent returns the path's segments as the client sent them, nil for an HTTP API,
// whose event does not have them.
func (r *Request) Sent() []string {
	if !r.sentAsIs() {
		return nil
	}
	return strings.Split(strings.TrimPrefix(strings.TrimPrefix(r.RawPath(), r.BasePath()), "/"), "/")
}

// sentAsIs reports whether the event has the path as the client sent it. An HTTP
// API decodes it, in both formats.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (r *Request) sentAsIs() bool {
	switch r.trigger {
	case HTTPAPI:
		return false
	case Authorizer:
		return !r.has(version)
	default:
		return true
	}
}

// ofREST reports whether the event is from a REST API or its authorizer. A REST API
// ignores a slash at the end of a path.
//
// https://github.com/aws-powertools/powertools-lambda-python/issues/1552
func (r *Request) ofREST() bool {
	return r.trigger == REST || r.trigger == Authorizer && !r.has(version)
}

// IgnoresSlash reports whether [Request.Path] leaves out a slash at the end. A REST
// API reads both paths as one.
func (r *Request) IgnoresSlash() bool { return r.trigger == REST }

func (r *Request) findPath() {
	raw := r.RawPath()
	decoded := raw
	if r.sentAsIs() {
		var err error
		if decoded, err = url.PathUnescape(raw); err != nil {
			r.routed, r.ambiguous = raw, true
			return
		}
		r.ambiguous = strings.Contains(strings.ToUpper(raw), "%2F")
	}
	own, prefix, ok := r.matched(decoded)
	r.routed, r.ambiguous = own, r.ambiguous || !ok
	if strings.HasPrefix(raw, prefix) { // it has no escapes of its own
		r.prefix = prefix
	}
	if r.ofREST() {
		r.routed = strings.TrimSuffix(r.routed, "/")
	}
	if r.routed == "" {
		r.routed = "/"
	}
	r.ambiguous = r.ambiguous || !plain(r.routed)
}

// matched removes the stage or base path from a decoded path. ok is false if two
// members of the event disagree about the path that the gateway has matched.
func (r *Request) matched(decoded string) (own, prefix string, ok bool) {
	arn := ""
	if r.trigger == Authorizer {
		arn = callPath(r.ARN()) // without stage and base path
	}
	if _, template, _ := strings.Cut(r.RouteKey(), " "); template != "" {
		if prefix, own, ok := splitByTemplate(decoded, template, r.PathValue); ok {
			return own, prefix, true
		}
		if prefix, own, ok := splitByTemplate(decoded, template, r.consoleValue); ok && r.trigger == REST {
			return own, prefix, true
		}
		// An authorizer's event need not have the values of the route.
		if prefix, ok := strings.CutSuffix(decoded, arn); ok && arn != "" {
			return arn, prefix, true
		}
		return decoded, "", false
	}
	own, prefix = decoded, ""
	// At the address of an HTTP API the stage is in front. At a custom domain it
	// need not be, and the event of a REST API leaves it out.
	stage := "/" + r.Stage()
	if !r.sentAsIs() && stage != "/" && stage != "/$default" && strings.Contains(r.Domain(), ".execute-api.") {
		if rest, found := strings.CutPrefix(decoded, stage); found && (rest == "" || rest[0] == '/') {
			own, prefix = rest, stage
		}
	}
	// The event of an authorizer may have a base path where the function's event has
	// none, depending on their formats.
	same := arn == "" || r.sentAsIs() || strings.TrimSuffix(own, "/") == strings.TrimSuffix(arn, "/")
	return own, prefix, same
}

// consoleValue returns the value of a path parameter as the test events of the
// console and of SAM have it: {proxy+} with a slash in front. A REST API never
// sends that, as it keeps two slashes in the path as well.
func (r *Request) consoleValue(name string) (string, bool) {
	v, ok := r.PathValue(name)
	if name == "proxy" && len(v) > 1 {
		v = strings.TrimPrefix(v, "/")
	}
	return v, ok
}

// splitByTemplate splits a path by the template that the gateway has matched,
// "/orders/{id}", "/{proxy+}", and the values of its parameters. In front is the
// base path of a custom domain, or a stage. ok is false if a value is missing, or
// if the path does not end with the template.
func splitByTemplate(path, template string, value func(name string) (string, bool)) (prefix, own string, ok bool) {
	own, greedy, ok := expand(template, value)
	if !ok {
		return "", "", false
	}
	// The gateway may ignore a slash at the end.
	bare := strings.TrimSuffix(path, "/")
	prefix, ok = strings.CutSuffix(bare, strings.TrimSuffix(own, "/"))
	if decoded, err := url.PathUnescape(own); !ok && err == nil { // values do not always come decoded
		own = decoded
		prefix, ok = strings.CutSuffix(bare, strings.TrimSuffix(own, "/"))
	}
	if !ok || prefix != "" && (prefix[0] != '/' || prefix[len(prefix)-1] == '/' || !plain(prefix)) {
		return "", "", false
	}
	if greedy { // its value is all that is left
		own = path[len(prefix):]
	}
	return prefix, own, true
}

// expand puts values into a template. The value of a greedy parameter can be
// empty: "/x/" is matched by "/x/{proxy+}".
func expand(template string, value func(name string) (string, bool)) (path string, greedy, ok bool) {
	if template == "" {
		return "", false, false
	}
	for {
		before, rest, found := strings.Cut(template, "{")
		path += before
		if !found {
			return path, greedy, true
		}
		name, after, _ := strings.Cut(rest, "}")
		name, greedy = strings.CutSuffix(name, "+")
		v, there := value(name)
		if !there || !greedy && (v == "" || strings.Contains(v, "/")) {
			return "", false, false
		}
		path, template = path+v, after
	}
}

// callPath returns the path in the ARN of a call:
// arn:aws:execute-api:region:account:api/stage/METHOD/path.
func callPath(arn string) string {
	parts := strings.SplitN(arn, "/", 4)
	if len(parts) < 4 {
		return ""
	}
	return "/" + parts[3]
}

// plain reports whether a decoded path is unambiguous.
func plain(path string) bool {
	if path == "" || path == "/" {
		return true
	}
	if path[0] != '/' || strings.Contains(path, "//") {
		return false
	}
	for i := range len(path) {
		if c := path[i]; c == '%' || c == '\\' || c < ' ' || c == 0x7f {
			return false
		}
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}
