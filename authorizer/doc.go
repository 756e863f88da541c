// Package authorizer builds Lambda authorizers whose decisions are safe for API
// Gateway to cache, and makes the same decisions inside a function.
//
//	func main() {
//		check := authorizer.All(
//			authorizer.Bearer(verifier),
//			authorizer.Routes(map[string]authorizer.Check{
//				"POST /orders":     authorizer.Scopes("orders:write"),
//				"GET /orders/{id}": authorizer.Scopes("orders:read"),
//			}),
//		)
//		guard.Start(authorizer.Simple(check),
//			guard.Log(logger),
//			guard.Errors(),
//			guard.Recover(),
//		)
//	}
//
// A [Check] reads a [Request] and returns a [Grant], or an error that says why
// not. Some checks find out who calls: [Bearer], [APIKey], [ClientCert], [IAM],
// package basic. Some restrict that: [Scopes], [Groups], [SourceIP], [Routes]. [All]
// and [Any] combine them.
//
//	                   answers with a check           inside the function
//	HTTP API           Simple, Policy                 FromGateway, or Require
//	REST API           Policy                         FromGateway, or Require
//	WebSocket API      Policy, of $connect            FromGateway
//	AppSync            AppSync
//	function URL                                      Require, or FromGateway behind IAM
//	VPC Lattice                                       Require, or FromGateway behind IAM
//
// # The gateway's cache
//
// API Gateway stores an authorizer's answer under the values of its identity
// sources and nothing else. An authorizer that allows a token on GET /list-users
// has then allowed it on GET /list-admins as well, for up to an hour.
//
// A Request records what a check has read. If the decision depended on something
// that is no identity source, the answer is an error with the code
// authorizer_cache_hazard, of which the gateway stores nothing. The log has, as fix,
// what to change: in the example, add $context.routeKey to the identity sources.
// The rule holds for grants and denials, and for your own checks. Nothing has to
// be declared for it. Reading an absent header counts like reading a present one.
//
// So no request is let in by the answer to another unless its own check would let
// it in. And a client that lacks your credential cannot change what you get: it
// can neither have you let in as somebody else nor have you locked out.
//
// The event has the values of the identity sources, not their names. A value
// therefore counts as one of them if it is among them and stands nowhere else in
// the request. Otherwise a client could put the text of a route into a header that
// is an identity source.
//
// What a check takes from elsewhere than the Request is not recorded: the time, a
// database. The gateway stores the answer for its TTL whatever changes there.
// [FromGateway] refuses a grant that has expired meanwhile.
//
// # Paths
//
// Checks and handlers find routes by the same code, that of net/http, and GET takes
// HEAD as well. A path that two readers could take for two is an error with the
// code path_ambiguous on both sides, and no stored denial: one that still has a
// percent sign after it was decoded once, an encoded slash, an empty segment, a dot
// segment, a backslash or a control character.
//
// # What is logged
//
// The record of the invocation, which [guard.Log] writes, has the principal, the
// route and the decision: allow, deny or fail. If the call is not allowed it has
// error.code and error.cause. The record of FromGateway, which decides nothing, has
// no decision. Credentials are in none of them. Without guard.Log nothing is logged.
package authorizer
