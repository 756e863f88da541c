package gateway

import (
	"net/http"
	"strings"
)

// target is what a request's path leads to.
type target struct {
	route     Route
	variables map[string]string
	paths     paths
}

// find returns the status of the refusal, or 200.
func (a *HTTPAPI) find(r *http.Request) (target, int) {
	if a.cfg.FunctionURL {
		sent := sentPath(r)
		return target{route: a.routes[0], paths: paths{sent, sent, sent}}, http.StatusOK
	}
	path := decodedPath(r.URL, a.cfg.KeepSlashes)
	resource, ok := a.address.resource(path)
	if !ok && a.address.basePath != "" {
		// See https://github.com/amplify-education/serverless-domain-manager/issues/241
		return target{}, http.StatusForbidden
	}
	matched := resource
	if ok && a.cfg.Matching != MatchDecoded {
		matched, ok = a.sentResource(r)
	}
	route, variables, matches := firstMatch(a.routes, r.Method, a.segments(matched))
	if !ok || !matches {
		return target{}, http.StatusNotFound
	}
	path = a.cfg.eventPath(path, resource)
	return target{route, variables, paths{event: path, context: path, resource: resource}}, http.StatusOK
}

// segments are those of the resource's path, with variables decoded.
// See https://github.com/aws-powertools/powertools-lambda-python/issues/1098
func (a *HTTPAPI) segments(resource string) []segment {
	fixed, value := asItIs, unescaped
	switch a.cfg.Matching {
	case MatchDecoded:
		value = asItIs
	case MatchSegments:
		fixed = unescaped
	}
	if a.cfg.IgnoreTrailingSlash && resource != "/" {
		resource = strings.TrimSuffix(resource, "/")
	}
	return segmentsOf(resource, fixed, value)
}

// sentResource is the resource's path as sent. What stands before it may be
// escaped, but is in segments of its own.
func (a *HTTPAPI) sentResource(r *http.Request) (resource string, ok bool) {
	resource = sentPath(r)
	if !a.cfg.KeepSlashes {
		resource = oneSlash(resource)
	}
	for _, part := range segmentsOf(a.address.prefix(), asItIs, asItIs) {
		first, rest, _ := strings.Cut(resource[1:], "/")
		if unescaped(first) != part.fixed {
			return "", false
		}
		resource = "/" + rest
	}
	return resource, true
}

// eventPath is the path that the function is told. At the execute-api address it
// is the whole of it. Of a custom domain format 1.0 keeps the base path.
// See https://github.com/aws-powertools/powertools-lambda-python/issues/576
func (cfg HTTPAPIConfig) eventPath(path, resource string) string {
	how := cfg.DomainPath
	switch {
	case cfg.StageInPath:
		return path
	case how == "" && cfg.Format == format1:
		how = PathAsSent
	}
	switch {
	case how == PathAsSent:
		return path
	case how == PathWithStage && cfg.Stage != defaultStage:
		return "/" + cfg.Stage + resource
	default:
		return resource
	}
}
