// Package authorizer decides who may, once, and in a way that the gateway's
// cache cannot turn into a hole.
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
// A [Check] looks at a [Request] and returns a [Grant], or an error that says
// why not. Checks find out who calls ([Bearer], [APIKey], [ClientCert], package
// basic) or restrict it ([Scopes], [Groups], [SourceIP], [Routes]), and combine
// with [All] and [Any]. The same check answers an HTTP API ([Simple], [Policy]),
// a REST or WebSocket API (Policy), AppSync ([AppSync]), or decides inside the
// function ([Require]). The function behind the gateway gets the grant back with
// [FromGateway].
//
// # The gateway's cache
//
// API Gateway keeps an authorizer's answer under the values of its identity
// sources and nothing else. An authorizer that allows a token on GET /list-users
// has then allowed it on GET /list-admins as well, for up to an hour.
//
// A Request remembers what a check has looked at. A grant that depended on
// something that the identity sources do not hold is refused, and the log says
// so with the code authorizer_cache_hazard and, as fix, what to change. In the
// example that is to add $context.routeKey to the identity sources. This counts
// for every check, also one's own; there is nothing to declare. It also counts
// what was not there: a header that is absent is in no identity source.
//
// The event has the values of the identity sources, not their names. So a value
// counts as kept when it is among them and stands in the request only once:
// where a client can put the route's key into a header, that header might be the
// identity source and the route none.
//
// What is not found out: what a check takes from elsewhere than the Request, as
// the time or a table. The gateway keeps an answer for the TTL whatever happens
// there. A grant that expires within it is refused by FromGateway.
//
// A denial is kept like a grant, and an error is not. Therefore a check that
// could not decide, as its key server is down, is an error, a 500, and never a
// denial that lasts.
//
// # What is logged
//
// The record of the invocation, which [guard.Log] writes, has the principal, the
// route, decision (allow, deny, fail), and of what is not allowed error.code and
// error.cause; that of FromGateway, which decides nothing, has no decision.
// Credentials are in none of them. Without guard.Log nothing is logged.
package authorizer
