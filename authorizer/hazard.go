package authorizer

import (
	"slices"
	"strings"
)

// uncovered returns those of a decision's reads that may not be the same in every
// request that the gateway answers with that decision.
func (d *decider) uncovered(in *input, all []read) []read {
	if d.uncached || !in.cacheable() {
		return nil
	}
	var out []read
	for _, read := range all {
		if !d.covers(in, read) {
			out = append(out, read)
		}
	}
	return out
}

// cacheable reports whether the gateway may keep the decision. An HTTP API
// needs an identity source for that; a WebSocket API does not.
func (in *input) cacheable() bool {
	switch in.format {
	case HTTP2, HTTP1:
		return in.joined != "" || len(in.sources) > 0
	case WebSocket, InHandler:
		return false
	default:
		return true
	}
}

// covers reports whether the gateway keeps decisions apart by what was read.
func (d *decider) covers(in *input, r read) bool {
	switch in.format {
	case RESTRequest: // whose event has no values of its identity sources
		if r.kind == inRouteKey { // the method and the resource
			return d.declared[r.place] && d.declared[place{kind: inMethod}]
		}
		if r.kind == inTablePath {
			r.place = place{kind: inPath}
		}
		return r.value != "" && d.declared[r.place] && !in.several(r.place)
	case RESTToken, GraphQL:
		return r.place == place{inHeader, "authorization"}
	}
	// The event has the values of the identity sources, and not their names. A
	// value that is among them was read from one of them, unless it stands in
	// the request twice: then a client could have put it into a header that is
	// an identity source, so that a route that is none looks like one.
	return r.value != "" && in.amongSources(r.value) && !in.elsewhere(r)
}

// several reports whether what stands in a place are several values, of which
// the gateway of a REST API keeps decisions by one.
func (in *input) several(p place) bool {
	return p.kind == inHeader && in.HeaderLines(p.name) > 1 || p.kind == inQuery && len(in.query()[p.name]) > 1
}

func (in *input) amongSources(value string) bool {
	if in.format == HTTP2 {
		return slices.Contains(in.sources, value)
	}
	// In format 1.0 it is not known where a value with a comma begins and ends.
	return !strings.Contains(value, ",") && hasPart(in.joined, value)
}

// elsewhere reports whether what was read stands in another place that can be
// an identity source, by itself or as one of several values.
func (in *input) elsewhere(r read) bool {
	for _, h := range in.Headers() {
		if h.Name != "cookie" && in.holds(r, h.Name, h.Value) {
			return true
		}
	}
	if in.holds(r, "cookie", strings.ReplaceAll(in.Header("cookie"), ";", ",")) {
		return true
	}
	for _, p := range in.Params() { // as the gateway reads the query
		if r.place != (place{inQuery, p.Name}) && hasPart(strings.Join(p.Values, ","), r.value) {
			return true
		}
	}
	for name, values := range in.query() {
		if r.place != (place{inQuery, name}) && hasPart(strings.Join(values, ","), r.value) {
			return true
		}
	}
	for _, value := range in.StageVariables() {
		if hasPart(value, r.value) {
			return true
		}
	}
	for _, other := range [...]read{
		{place{kind: inRouteKey}, in.routeKey},
		{place{kind: inMethod}, in.method},
		{place{kind: inPath}, in.RawPath()},
		{place{kind: inSourceIP}, in.SourceIP()},
		{place{kind: inDomain}, in.Domain()},
		{place{kind: inClientCert}, pemOf(in.Certificate())},
	} {
		same := other.kind == r.kind || other.kind == inPath && r.kind == inTablePath || other.kind == inDomain && r.place == (place{inHeader, "host"})
		if !same && hasPart(other.value, r.value) {
			return true
		}
	}
	return slices.ContainsFunc(in.Details(), func(other string) bool { return hasPart(other, r.value) })
}

// holds reports whether what was read stands in a header that it was not read
// from, and that the gateway has not written it into.
func (in *input) holds(r read, name, value string) bool {
	gateways := value == r.value && (r.kind == inSourceIP && name == "x-forwarded-for" || r.kind == inDomain && name == "host")
	return r.place != (place{inHeader, name}) && hasPart(value, r.value) && !gateways
}

// hasPart reports whether value is text, or one of the values in it that a
// comma separates.
func hasPart(text, value string) bool {
	if len(text) <= len(value) {
		return text == value
	}
	if strings.Contains(value, ",") {
		return strings.Contains(text, value)
	}
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == value {
			return true
		}
	}
	return false
}

// identitySource is the expression by which the gateway is told to keep
// decisions apart by a place, "" where there is none.
func (p place) identitySource(f Format) string {
	header, query, context := "$request.header.", "$request.querystring.", "$context."
	if f == RESTRequest {
		header, query, context = "method.request.header.", "method.request.querystring.", "context."
	}
	switch p.kind {
	case inHeader:
		return header + p.name
	case inQuery:
		return query + p.name
	case inRouteKey:
		if f == RESTRequest {
			return "context.resourcePath"
		}
		return context + "routeKey"
	case inMethod:
		return context + "httpMethod"
	case inPath, inTablePath:
		return context + "path"
	case inDomain:
		return context + "domainName"
	case inSourceIP:
		return context + "identity.sourceIp"
	case inClientCert:
		return context + "identity.clientCert.clientCertPem"
	default:
		return ""
	}
}

// what names a place for whoever operates the authorizer.
func (p place) what() string {
	switch p.kind {
	case inHeader:
		return "the header " + p.name
	case inQuery:
		return "the query's " + p.name
	case inRouteKey:
		return "the route"
	case inMethod:
		return "the method"
	case inPath, inTablePath:
		return "the path"
	case inPathValue:
		return "a greedy parameter of the path"
	case inDomain:
		return "the path of the call, which the domain decides"
	case inSourceIP:
		return "the source address"
	case inClientCert:
		return "the client certificate"
	default:
		return "the operation"
	}
}
