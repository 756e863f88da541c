package authorizer

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

// hazardError is why the gateway must not store a decision. The answer is an error and
// no denial: a denial would be stored, and one client could lock others out.
type hazardError struct{ fix string }

const hazardText = "authorizer: the decision depends on what the gateway's cache does not keep apart"

func (e *hazardError) Error() string        { return hazardText }
func (e *hazardError) LogValue() slog.Value { return slog.StringValue(hazardText) }

// setTTL is the fix that always helps.
const setTTL = "set the result TTL to 0 and declare it with Uncached()"

// hazard returns a hazardError with the ways to fix it.
func hazard(ways ...string) error {
	fix := strings.Join(append(ways, "or "+setTTL), ", ")
	return &guard.Error{Kind: guard.Internal, Code: "authorizer_cache_hazard", Err: &hazardError{fix}}
}

// cacheable reports whether the gateway may store the decision. An HTTP API needs an
// identity source for that.
func (in *input) cacheable() bool {
	switch in.format {
	case http2, http1:
		return len(in.sources) > 0
	default:
		return in.format != webSocket
	}
}

// looked returns what the decision depends on, and the tables of Routes that it went
// through.
func (d *decider) looked(r *Request) ([]read, []*routeTable) {
	all, tables := r.reads.snapshot()
	return slices.DeleteFunc(all, func(r read) bool {
		return r.optional && !(r.kind == inHeader && slices.Contains(d.edge, r.name))
	}), tables
}

// uncovered returns the reads that may differ between requests for which the gateway
// uses one stored decision.
func (d *decider) uncovered(r *Request) []read {
	if d.uncached || !r.in.cacheable() {
		return nil
	}
	all, _ := d.looked(r)
	return slices.DeleteFunc(all, func(read read) bool { return d.covers(r.in, read) })
}

// covers reports whether the gateway stores decisions separately by what was read.
func (d *decider) covers(in *input, r read) bool {
	switch in.format {
	case restRequest: // its event does not have the values of its identity sources
		if r.kind == inRouteKey { // the method and the resource
			return d.declared[r.place] && d.declared[place{kind: inMethod}]
		}
		if r.kind == inTablePath {
			r.place = place{kind: inPath}
		}
		return r.value != "" && d.declared[r.place] && !in.several(r.place)
	case restToken, appSync:
		return r.place == place{inHeader, "authorization"}
	}
	// The event has the values of the identity sources without their names. If a
	// value is elsewhere in the request too, a client may have put it there.
	return r.value != "" && in.amongSources(r.value) && !in.elsewhere(r)
}

// several reports whether a place has several values. A REST API stores decisions by
// one of them.
func (in *input) several(p place) bool {
	return p.kind == inHeader && in.HeaderLines(p.name) > 1 || p.kind == inQuery && len(in.Query()[p.name]) > 1
}

func (in *input) amongSources(value string) bool {
	if in.format == http1 { // which joins the values by commas
		return !strings.Contains(value, ",") && len(in.sources) > 0 && hasPart(in.sources[0], value)
	}
	return slices.Contains(in.sources, value)
}

// elsewhere reports whether the value that was read is in another place that can be an
// identity source, by itself or as one of several values.
func (in *input) elsewhere(r read) bool {
	for _, h := range in.Headers() {
		if h.Name != "cookie" && in.inOtherHeader(r, h) {
			return true
		}
	}
	if in.inOtherHeader(r, fieldlines.Field{Name: "cookie", Value: strings.ReplaceAll(in.Header("cookie"), ";", ",")}) {
		return true
	}
	for _, p := range in.Params() { // as the gateway reads the query
		if r.place != (place{inQuery, p.Name}) && hasPart(strings.Join(p.Values, ","), r.value) {
			return true
		}
	}
	for name, values := range in.Query() {
		if r.place != (place{inQuery, name}) && hasPart(strings.Join(values, ","), r.value) {
			return true
		}
	}
	for _, value := range in.StageVariables() {
		if hasPart(value, r.value) {
			return true
		}
	}
	for kind, value := range map[placeKind]string{
		inRouteKey:   in.routeKey,
		inMethod:     in.method,
		inPath:       in.RawPath(),
		inSourceIP:   in.SourceIP(),
		inDomain:     in.Domain(),
		inClientCert: in.pem(),
	} {
		same := kind == r.kind || kind == inPath && r.kind == inTablePath || kind == inDomain && r.place == (place{inHeader, "host"})
		if !same && hasPart(value, r.value) {
			return true
		}
	}
	return slices.ContainsFunc(in.Details(), func(other string) bool { return hasPart(other, r.value) })
}

// inOtherHeader reports whether the value is in a header that it was not read from,
// and that the gateway has not set.
func (in *input) inOtherHeader(r read, h fieldlines.Field) bool {
	gateways := h.Value == r.value && (r.kind == inSourceIP && h.Name == "x-forwarded-for" || r.kind == inDomain && h.Name == "host")
	return r.place != (place{inHeader, h.Name}) && hasPart(h.Value, r.value) && !gateways
}

// hasPart reports whether value is text, or one of the parts of text between commas.
func hasPart(text, value string) bool {
	if text == value {
		return true
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

// sourceNames has the identity source for each kind of place, "" if there is none, and
// what the place is called in the log. Kinds whose identity source ends in a dot have
// names.
var sourceNames = [...]struct{ http, rest, what string }{
	inHeader:     {"$request.header.", "method.request.header.", "the header "},
	inQuery:      {"$request.querystring.", "method.request.querystring.", "the query's "},
	inStage:      {"$stageVariables.", "stageVariables.", "the stage variable "},
	inRouteKey:   {"$context.routeKey", "context.resourcePath", "the route"},
	inMethod:     {"$context.httpMethod", "context.httpMethod", "the method"},
	inPath:       {"$context.path", "context.path", "the path"},
	inDomain:     {"$context.domainName", "context.domainName", "the path of the call, which depends on the domain"},
	inSourceIP:   {"$context.identity.sourceIp", "context.identity.sourceIp", "the source address"},
	inClientCert: {"$context.identity.clientCert.clientCertPem", "context.identity.clientCert.clientCertPem", "the client certificate"},
	inTablePath:  {"$context.path", "context.path", "the path"},
	inPathValue:  {what: "a greedy parameter of the path"},
	inOperation:  {what: "the operation"},
}

// parseSource parses an identity source of a REST API.
func parseSource(expression string) (place, bool) {
	for kind, names := range sourceNames {
		name, ok := strings.CutPrefix(expression, names.rest)
		if !ok || names.rest == "" || strings.HasSuffix(names.rest, ".") != (name != "") {
			continue
		}
		if kind := placeKind(kind); kind != inHeader {
			return place{kind, name}, true
		}
		return place{inHeader, strings.ToLower(name)}, true
	}
	return place{}, false
}

// fix says how to let the gateway store decisions separately by what was read.
func fix(in *input, uncovered []read) string {
	var sources, unread []string
	for _, u := range uncovered {
		names := sourceNames[u.kind]
		source := names.http
		if in.format == restRequest {
			source = names.rest
		}
		what := names.what + u.name
		switch {
		case source == "" || in.format == restToken:
			unread = append(unread, what)
		case u.value == "":
			unread = append(unread, what+" that is absent")
		case in.amongSources(u.value):
			unread = append(unread, what+" if the request has the same value in another place")
		default:
			if u.kind == inRouteKey && in.format == restRequest {
				sources = append(sources, sourceNames[inMethod].rest)
			}
			sources = append(sources, source+u.name)
		}
	}
	if len(unread) > 0 {
		return "do not read " + strings.Join(unique(unread), ", ") + ", as no identity source is sure to have it"
	}
	way := "add " + strings.Join(unique(sources), " and ") + " to the authorizer's identity sources"
	if in.format == restRequest {
		way += " and to IdentitySources"
	}
	return way
}

// unique removes what is there before, and keeps the order.
func unique(texts []string) []string {
	var out []string
	for _, text := range texts {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
