package authorizer

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/routepath"
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
	if strings.Contains(in.path, "%") { // which is refused whatever is in front
		return "", false
	}
	_, template, _ := strings.Cut(in.routeKey, " ")
	return routepath.Prefix(in.path, template, func(name string) (string, bool) {
		value := in.pathValues.find(name)
		return value.value, value.name != ""
	})
}
