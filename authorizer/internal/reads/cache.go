package reads

import (
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Cache is the declared configuration of the gateway's cache.
type Cache struct {
	Off      bool           // nothing is stored
	Edge     []string       // headers that a client cannot leave out
	Declared map[Place]bool // the identity sources of a REST API
}

// Looked returns the reads that a decision depends on.
func (k *Cache) Looked(r *Record) []Read {
	return slices.DeleteFunc(r.all(), func(read Read) bool {
		return read.optional && !(read.Kind == Header && slices.Contains(k.Edge, read.Name))
	})
}

// Uncovered returns the reads that may differ between requests for which the gateway
// uses one stored decision.
func (k *Cache) Uncovered(c *Call, r *Record) []Read {
	if !k.Stores(c) {
		return nil
	}
	return slices.DeleteFunc(k.Looked(r), func(read Read) bool { return k.Covers(c, read) })
}

// Stores reports whether the gateway may store the decision.
func (k *Cache) Stores(c *Call) bool { return !k.Off && c.Cacheable() }

// Covers reports whether the gateway stores decisions separately by what was read.
func (k *Cache) Covers(c *Call, r Read) bool {
	switch c.Format {
	case RESTRequest: // its event does not have the values of its identity sources
		if r.Kind == RouteKey { // the method and the resource
			return k.Declared[r.Place] && k.Declared[Place{Kind: Method}]
		}
		if r.Kind == TablePath {
			r.Place = Place{Kind: Path}
		}
		return r.Value != "" && k.Declared[r.Place] && !c.several(r.Place)
	case RESTToken, AppSync:
		return r.Place == Place{Header, "authorization"}
	}
	// The event has the values of the identity sources without their names. If a
	// value is elsewhere in the request too, a client may have put it there.
	return r.Value != "" && c.amongSources(r.Value) && !c.elsewhere(r)
}

// several reports whether a place has several values. A REST API stores decisions by
// one of them.
func (c *Call) several(p Place) bool {
	return p.Kind == Header && c.HeaderLines(p.Name) > 1 || p.Kind == Query && len(c.Query()[p.Name]) > 1
}

func (c *Call) amongSources(value string) bool {
	if c.Format == HTTP1 { // which joins the values by commas
		return !strings.Contains(value, ",") && len(c.Sources) > 0 && hasPart(c.Sources[0], value)
	}
	return slices.Contains(c.Sources, value)
}

// elsewhere reports whether the value that was read is also in another place that can
// be an identity source, alone or as one of several values.
func (c *Call) elsewhere(r Read) bool {
	for _, h := range c.Headers() {
		if h.Name != "cookie" && c.inOtherHeader(r, h) {
			return true
		}
	}
	if c.inOtherHeader(r, request.Field{Name: "cookie", Value: strings.ReplaceAll(c.Header("cookie"), ";", ",")}) {
		return true
	}
	for _, p := range c.Params() { // as the gateway reads the query
		if r.Place != (Place{Query, p.Name}) && hasPart(strings.Join(p.Values, ","), r.Value) {
			return true
		}
	}
	for name, values := range c.Query() {
		if r.Place != (Place{Query, name}) && hasPart(strings.Join(values, ","), r.Value) {
			return true
		}
	}
	for _, value := range c.StageVariables() {
		if hasPart(value, r.Value) {
			return true
		}
	}
	for kind, value := range map[Kind]string{
		RouteKey:   c.RouteKey,
		Method:     c.Method,
		Path:       c.RawPath(),
		SourceIP:   c.SourceIP(),
		Domain:     c.Domain(),
		ClientCert: c.PEM(),
	} {
		same := kind == r.Kind || kind == Path && r.Kind == TablePath || kind == Domain && r.Place == (Place{Header, "host"})
		if !same && hasPart(value, r.Value) {
			return true
		}
	}
	return slices.ContainsFunc(c.Details(), func(other string) bool { return hasPart(other, r.Value) })
}

// inOtherHeader reports whether the value is in a header that it was not read from,
// and that the gateway has not set.
func (c *Call) inOtherHeader(r Read, h request.Field) bool {
	gateways := h.Value == r.Value && (r.Kind == SourceIP && h.Name == "x-forwarded-for" || r.Kind == Domain && h.Name == "host")
	return r.Place != (Place{Header, h.Name}) && hasPart(h.Value, r.Value) && !gateways
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
// the name of the place in the log. A kind with names has an identity source that ends
// in a dot.
var sourceNames = [...]struct{ http, rest, what string }{
	Header:        {"$request.header.", "method.request.header.", "the header "},
	Query:         {"$request.querystring.", "method.request.querystring.", "the query's "},
	StageVariable: {"$stageVariables.", "stageVariables.", "the stage variable "},
	RouteKey:      {"$context.routeKey", "context.resourcePath", "the route"},
	Method:        {"$context.httpMethod", "context.httpMethod", "the method"},
	Path:          {"$context.path", "context.path", "the path"},
	Domain:        {"$context.domainName", "context.domainName", "the path of the call, which depends on the domain"},
	SourceIP:      {"$context.identity.sourceIp", "context.identity.sourceIp", "the source address"},
	ClientCert:    {"$context.identity.clientCert.clientCertPem", "context.identity.clientCert.clientCertPem", "the client certificate"},
	TablePath:     {"$context.path", "context.path", "the path"},
	PathValue:     {what: "a greedy parameter of the path"},
	Operation:     {what: "the operation"},
}

// ParseSource parses an identity source of a REST API.
func ParseSource(expression string) (Place, bool) {
	for kind, names := range sourceNames {
		name, ok := strings.CutPrefix(expression, names.rest)
		if !ok || names.rest == "" || strings.HasSuffix(names.rest, ".") != (name != "") {
			continue
		}
		if kind := Kind(kind); kind != Header {
			return Place{kind, name}, true
		}
		return Place{Header, strings.ToLower(name)}, true
	}
	return Place{}, false
}

// Fix returns how to let the gateway store decisions separately by what was read.
func Fix(c *Call, uncovered []Read) string {
	var sources, unread []string
	for _, u := range uncovered {
		names := sourceNames[u.Kind]
		source := names.http
		if c.Format == RESTRequest {
			source = names.rest
		}
		what := names.what + u.Name
		switch {
		case source == "" || c.Format == RESTToken:
			unread = append(unread, what)
		case u.Value == "":
			unread = append(unread, what+" that is absent")
		case c.amongSources(u.Value):
			unread = append(unread, what+" if the request has the same value in another place")
		default:
			if u.Kind == RouteKey && c.Format == RESTRequest {
				sources = append(sources, sourceNames[Method].rest)
			}
			sources = append(sources, source+u.Name)
		}
	}
	if len(unread) > 0 {
		return "do not read " + list(unread, ", ") + ", as no identity source is sure to have it"
	}
	way := "add " + list(sources, " and ") + " to the authorizer's identity sources"
	if c.Format == RESTRequest {
		way += " and to IdentitySources"
	}
	return way
}

func list(texts []string, separator string) string {
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), separator)
}
