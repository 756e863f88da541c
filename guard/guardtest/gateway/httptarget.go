package gateway

import (
	"net/http"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/route"
)

// target is the resource of a request's path.
type target struct {
	route     route.Route
	variables map[string]string
	paths     event.Paths
}

// find returns the status of the refusal, or 200.
func (a *HTTPAPI) find(r *http.Request) (target, int) {
	if a.cfg.FunctionURL {
		sent := route.Sent(r)
		return target{route: a.routes[0], paths: event.Paths{Event: sent, Context: sent, Resource: sent}}, http.StatusOK
	}
	path := route.Decoded(r.URL, a.cfg.KeepSlashes)
	resource, ok := a.address.Resource(path)
	if !ok && a.address.BasePath != "" {
		// See https://github.com/amplify-education/serverless-domain-manager/issues/241
		return target{}, http.StatusForbidden
	}
	matched := resource
	if ok && a.cfg.Matching != MatchDecoded {
		sent := route.Sent(r)
		if !a.cfg.KeepSlashes {
			sent = route.OneSlash(sent)
		}
		matched, ok = a.address.SentResource(sent)
	}
	taken, variables, matches := route.First(a.routes, r.Method, a.segments(matched))
	if !ok || !matches {
		return target{}, http.StatusNotFound
	}
	path = a.cfg.eventPath(path, resource)
	return target{taken, variables, event.Paths{Event: path, Context: path, Resource: resource}}, http.StatusOK
}

// segments are the segments of the resource's path, with variables decoded. See
// https://github.com/aws-powertools/powertools-lambda-python/issues/1098
func (a *HTTPAPI) segments(resource string) []route.Segment {
	fixed, value := route.AsItIs, route.Unescaped
	switch a.cfg.Matching {
	case MatchDecoded:
		value = route.AsItIs
	case MatchSegments:
		fixed = route.Unescaped
	}
	if a.cfg.IgnoreTrailingSlash && resource != "/" {
		resource = strings.TrimSuffix(resource, "/")
	}
	return route.Segments(resource, fixed, value)
}

// eventPath is the path that the function sees. At the execute-api address it
// is the whole of it. Of a custom domain format 1.0 keeps the base path.
// See https://github.com/aws-powertools/powertools-lambda-python/issues/576
func (cfg HTTPAPIConfig) eventPath(path, resource string) string {
	how := cfg.DomainPath
	switch {
	case cfg.StageInPath:
		return path
	case how == "" && cfg.Format == "1.0":
		how = PathAsSent
	}
	switch {
	case how == PathAsSent:
		return path
	case how == PathWithStage && cfg.Stage != route.Default:
		return "/" + cfg.Stage + resource
	default:
		return resource
	}
}
