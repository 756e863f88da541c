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
//		guard.Start(authorizer.Simple(check), guard.Default(log))
//	}
//
// A [Check] reads a [Request] and returns a [Grant] or an error. Some checks
// authenticate the caller: [Bearer], [APIKey], [ClientCert], [IAM], package basic.
// Some restrict the grant: [Scopes], [Groups], [SourceIP], [Routes]. [All] and [Any]
// combine checks.
//
//	                   as the gateway's authorizer    inside the function
//	HTTP API           Simple, Policy                 FromGateway, or Require
//	REST API           Policy                         FromGateway, or Require
//	WebSocket API      Policy, for $connect           FromGateway
//	AppSync            AppSync
//	function URL                                      Require, or FromGateway behind IAM
//	VPC Lattice                                       Require, or FromGateway behind IAM
//
// # The gateway's cache
//
// API Gateway stores the answer of an authorizer under the values of its identity
// sources, and nothing else. If a token is allowed GET /list-users, the stored answer
// also allows it GET /list-admins, for up to an hour.
//
// This package prevents that. A Request records what a check reads. If the decision
// depends on anything that is not an identity source, the answer is an error with the
// code authorizer_cache_hazard, which the gateway does not store. The log then says as fix
// what to change, here: add $context.routeKey to the identity sources. This applies to
// grants and denials, to your own checks, and to a header that is absent.
//
// So a stored answer lets a request in only if its own check would, and a client without
// your credential can neither use your grant nor lock you out. What a check reads from
// elsewhere is not recorded: the time, a database. The stored answer does not change with
// it. [FromGateway] refuses a grant that has expired since.
//
// # Paths
//
// Checks and handlers find routes by the same code, which matches as net/http does. An ambiguous
// path is an error with the code path_ambiguous, which the gateway does not store. A path is
// ambiguous if it has a percent sign after it was decoded once, an encoded slash, an empty
// segment, a dot segment, a backslash or a control character.
//
// # Logging
//
// [guard.Log] writes the principal, the route and the decision: allow, deny or fail. If the
// call is not allowed, it also writes error.code and error.cause. Credentials are never
// logged.
package authorizer
