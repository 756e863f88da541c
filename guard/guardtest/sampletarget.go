package guardtest

import (
	"fmt"
	"net/http"
	"net/url"
)

func (b HTTPBuilder) stageName() string {
	switch {
	case b.stage != "":
		return b.stage
	case b.gateway == restAPI:
		return "prod"
	default:
		return defaultStage
	}
}

// target has the gateway itself find the route and the paths.
func (b HTTPBuilder) target() target {
	route, err := ParseRoute(b.routeKey())
	if err != nil {
		panic(err.Error())
	}
	own := b.header.Get("Host") == "" && b.basePath == ""
	address := newAddress(b.stageName(), own, b.basePath)
	sent := address.prefix() + b.url.EscapedPath()
	r := &http.Request{Method: b.method, URL: &url.URL{}}
	if r.URL, err = url.ParseRequestURI(sent); err != nil {
		panic(fmt.Sprintf("guardtest: HTTPEvent: %v", err))
	}
	if b.gateway == functionURL || b.gateway == vpcLattice {
		sent = b.url.EscapedPath()
		return target{route: route, paths: paths{sent, sent, sent}}
	}
	if b.gateway == restAPI {
		api := &RESTAPI{cfg: RESTAPIConfig{Matching: MatchSent}, address: address}
		resource, _ := api.resource(sent)
		variables, ok := route.match(b.method, api.segments(resource))
		b.checkRoute(ok)
		return target{route, variables, api.paths(r, resource)}
	}
	cfg := HTTPAPIConfig{Format: b.format(), Stage: b.stageName(), StageInPath: own, Matching: MatchDecoded}
	found, status := (&HTTPAPI{cfg: cfg, address: address, routes: []Route{route}}).find(r)
	b.checkRoute(status == http.StatusOK)
	return found
}

func (b HTTPBuilder) checkRoute(taken bool) {
	if !taken {
		panic(fmt.Sprintf("guardtest: HTTPEvent: %s %s does not take the route %q", b.method, b.url.Path, b.route))
	}
}

func (b HTTPBuilder) format() string {
	if b.gateway == httpAPI1 || b.gateway == restAPI {
		return format1
	}
	return format2
}

// routeKey panics for what knows no routes, no stages and no custom domain.
func (b HTTPBuilder) routeKey() string {
	name := map[gateway]string{functionURL: "a function URL", vpcLattice: "VPC Lattice"}[b.gateway]
	switch {
	case name != "" && b.route != defaultRouteKey:
		panic("guardtest: HTTPEvent: " + name + " has no routes")
	case name != "" && (b.stage != "" || b.basePath != ""):
		panic("guardtest: HTTPEvent: " + name + " has no stages and no base path")
	case b.gateway == restAPI && b.route == defaultRouteKey && b.url.Path == "/":
		return "ANY /"
	case b.gateway == restAPI && b.route == defaultRouteKey:
		return "ANY /{proxy+}"
	default:
		return b.route
	}
}
