package request

import (
	"net/url"
	"strings"
)

// RawPath returns the path as the event has it. An HTTP API sends it decoded,
// all others as the client sent it. It may have a stage or a domain's base path
// in front.
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

// Path returns the path that routes are matched against: decoded once in all,
// without the stage and the base path that stand in front. Where the gateway
// says which route it has taken, it is the path that the gateway has matched. ok
// is false for a path that two readers could take for two: one that still holds
// a percent sign, or has a backslash, a control character, an empty segment, a
// dot segment or an encoded slash in it.
func (r *Request) Path() (path string, ok bool) {
	r.route.Do(r.findPath)
	return r.routed, !r.ambiguous
}

// BasePath returns what stands in front of the path: as the event has it, ""
// where there is nothing, and where its end cannot be told.
func (r *Request) BasePath() string {
	r.route.Do(r.findPath)
	return r.prefix
}

// Sent returns the path's segments as the client sent them, nil where the event
// does not tell: of an HTTP API.
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

// ofREST reports whether a REST API sent the event, or that of its authorizer. A
// slash at the end of a path makes no difference to it.
//
// https://github.com/aws-powertools/powertools-lambda-python/issues/1552
func (r *Request) ofREST() bool {
	return r.trigger == REST || r.trigger == Authorizer && !r.has(version)
}

// IgnoresSlash reports whether [Request.Path] lacks a slash that the request had
// at its end, as a REST API takes both paths for one.
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
		r.ambiguous = encodesSlash(raw)
	}
	own, prefix, ok := r.matched(decoded)
	r.routed, r.ambiguous = own, r.ambiguous || !ok
	if strings.HasPrefix(raw, prefix) { // it has no escapes of its own
		r.prefix = prefix
	}
	if r.ofREST() { // for which a slash at the end makes no difference
		r.routed = strings.TrimSuffix(r.routed, "/")
	}
	if r.routed == "" {
		r.routed = "/"
	}
	r.ambiguous = r.ambiguous || !plain(r.routed)
}

// matched takes what is in front off a decoded path. ok is false where the event
// says two things of what the gateway has matched.
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
	// The address of an HTTP API has the stage in front; a custom domain need not
	// have, and of a REST API the event leaves it out.
	stage := "/" + r.Stage()
	if !r.sentAsIs() && stage != "/" && stage != "/$default" && strings.Contains(r.Domain(), ".execute-api.") {
		if rest, found := strings.CutPrefix(decoded, stage); found && (rest == "" || rest[0] == '/') {
			own, prefix = rest, stage
		}
	}
	// Where a base path is in the event of an authorizer, that of the function may
	// lack it, by its format.
	same := arn == "" || r.sentAsIs() || strings.TrimSuffix(own, "/") == strings.TrimSuffix(arn, "/")
	return own, prefix, same
}

// consoleValue is the value of a path parameter, with {proxy+} as it is in the test
// events of the console and of SAM, which say "/path/to/resource" of that path. A
// REST API says so of none: it keeps two slashes in the path as well.
func (r *Request) consoleValue(name string) (string, bool) {
	v, ok := r.PathValue(name)
	if name == "proxy" && len(v) > 1 {
		v = strings.TrimPrefix(v, "/")
	}
	return v, ok
}

// splitByTemplate finds the route in a path, by the template that the gateway
// has matched, "/orders/{id}", "/{proxy+}", and the values of its parameters.
// What stands in front is the base path of a custom domain, or a stage. ok is
// false where that cannot be told, for a template whose values are not all
// there, or that is not the end of the path.
func splitByTemplate(path, template string, value func(name string) (string, bool)) (prefix, own string, ok bool) {
	own, greedy, ok := expand(template, value)
	if !ok {
		return "", "", false
	}
	// The gateway may take a slash at the end for nothing.
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

func encodesSlash(raw string) bool {
	return strings.Contains(raw, "%2F") || strings.Contains(raw, "%2f")
}

// plain reports whether everyone reads a decoded path in the same way.
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
