package authorizer

import (
	"net/url"
	"strings"
)

// callPath is the path without what stands in front of it: the base path of a
// domain, and the stage in the API's own address.
func (in *input) callPath() string {
	if in.arn.Path != "" && in.arn.Method == in.method {
		return in.arn.Path
	}
	if base, ok := in.basePath(); ok {
		return in.path[len(base):]
	}
	if stage := "/" + in.stage; in.stage != "" && in.stage != "$default" && strings.Contains(in.domain, ".execute-api.") {
		if rest, ok := strings.CutPrefix(in.path, stage); ok && (rest == "" || rest[0] == '/') {
			return rest
		}
	}
	return in.path
}

// basePath is what stands before the path that the gateway has found the route
// by, false where the event does not tell. Package httpapi takes the same off, or
// a function would take a call for another than its checks.
func (in *input) basePath() (string, bool) {
	_, template, _ := strings.Cut(in.routeKey, " ")
	own, ok := in.expand(template)
	if !ok || strings.Contains(in.path, "%") { // which is refused whatever is in front
		return "", false
	}
	path, own := strings.TrimSuffix(in.path, "/"), strings.TrimSuffix(own, "/")
	base, ok := strings.CutSuffix(path, own)
	if decoded, err := url.PathUnescape(own); !ok && err == nil { // not every value comes decoded
		base, ok = strings.CutSuffix(path, decoded)
	}
	return base, ok && (base == "" || base[0] == '/' && base[len(base)-1] != '/')
}

// expand puts the values of the path's parameters into a route's template.
func (in *input) expand(template string) (path string, ok bool) {
	for template != "" {
		before, rest, found := strings.Cut(template, "{")
		path += before
		if !found {
			return path, true
		}
		name, after, _ := strings.Cut(rest, "}")
		value := in.pathValues.get(strings.TrimSuffix(name, "+"))
		if value == "" {
			return "", false
		}
		path, template = path+value, after
	}
	return path, path != ""
}
