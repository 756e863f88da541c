package authorizer

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
)

// Option changes [Simple] and [Policy].
type Option struct{ set func(*options) }

type options struct {
	cache     reads.Cache
	answer401 bool
	complete  bool
}

// Uncached declares that the authorizer's result TTL is 0, so a decision may depend on all
// of the request. Use it for no other authorizer: if the gateway does store decisions, a
// caller who is allowed one call is allowed others.
func Uncached() Option { return Option{func(o *options) { o.cache.Off = true }} }

// Answer401 makes [Simple] return the error Unauthorized for a credential that is missing
// or does not hold: the client gets a 401, which the gateway does not store. Without it the
// client gets a 403, which is stored, so a bad token that is sent many times costs one
// invocation. [Policy] always answers 401.
func Answer401() Option { return Option{func(o *options) { o.answer401 = true }} }

// EdgeHeaders names headers that a CDN, a firewall or a proxy in front of the gateway sets,
// such as "X-Waf-Verdict". A client cannot leave them out, so they count even if the check
// that read them failed inside [Any]. EdgeHeaders panics for an empty name.
func EdgeHeaders(names ...string) Option {
	keys := make([]string, len(names))
	for i, name := range names {
		if name == "" {
			panic("authorizer: EdgeHeaders with an empty name")
		}
		keys[i] = strings.ToLower(name)
	}
	return Option{func(o *options) { o.cache.Edge = append(o.cache.Edge, keys...) }}
}

// IdentitySources declares the identity sources that a REST API's authorizer of type
// REQUEST is configured with, as its event does not have them. [Policy] ignores them for
// other events. IdentitySources panics unless each is one of
//
//	method.request.header.NAME            context.resourcePath
//	method.request.querystring.NAME       context.path
//	stageVariables.NAME                   context.httpMethod
//	context.identity.sourceIp             context.domainName
//	context.identity.clientCert.clientCertPem
func IdentitySources(expressions ...string) Option {
	declared := make(map[reads.Place]bool)
	for _, e := range expressions {
		p, ok := reads.ParseSource(e)
		if !ok {
			panic("authorizer: IdentitySources with " + e)
		}
		declared[p] = true
	}
	return Option{func(o *options) { o.cache.Declared = declared }}
}

// CompleteRoutes declares that the tables of [Routes] name every route of the API that
// this authorizer guards. [Policy] needs it to allow a route with a parameter in a
// stored policy: there "/orders/*" covers "/orders/42/refunds" as well. A route of the
// API that the table leaves out is then allowed.
func CompleteRoutes() Option { return Option{func(o *options) { o.complete = true }} }
