// Package jwt verifies JSON Web Tokens of Amazon Cognito, of other OpenID Connect
// and OAuth issuers, and of Application Load Balancers, for package authorizer.
//
//	func main() {
//		tokens := jwt.New(jwt.Cognito("eu-central-1_AbCdEfGhI", "7h2k3j4l5m6n7o8p9q0r1s2t3u"))
//		check := authorizer.Routes(map[string]authorizer.Check{
//			"GET /orders":  authorizer.Bearer(tokens),
//			"POST /orders": authorizer.All(authorizer.Bearer(tokens), authorizer.Scopes("orders/write")),
//		})
//		guard.Start(authorizer.Simple(check), guard.Default(logger))
//	}
//
// [Cognito] is for access tokens, [CognitoID] for ID tokens, [AccessToken] for
// tokens as RFC 9068 describes them, and [ALB] for the header x-amzn-oidc-data. For
// another issuer, fill in a [Config]:
//
//	jwt.New(jwt.Config{
//		Issuer:    "https://tenant.eu.auth0.com/",
//		Audiences: []string{"https://api.example.com"},
//		Context:   []string{"org_id"},
//	})
//
// # What is checked
//
// A token must be a signed JWT in compact form (RFC 7515, RFC 7519) and follow RFC
// 8725. It must have one meaning only: base64 has one form, numbers have a range,
// and no JSON member is there twice or differs from a known one in case alone. Its
// size, depth and number of values are limited.
//
// alg must be one of the [Config]. Keys must agree with it in use, algorithm, type
// and curve. A kid is only a name to look up; keys in a token, and links to keys,
// are ignored. iss, aud or client_id, and exp are checked, and nbf and iat if they
// are present; these two may be 5 seconds ahead. typ and token_use must have a
// value that the Config accepts. If an issuer's ID tokens have neither claim, and
// the audience of its access tokens, also require a scope, as ID tokens have none.
// An application in Entra ID that is its own API is such a case.
//
// Revocation is not checked: a token is valid until exp. A token that is bound to a
// key of its sender (cnf) is refused, as no proof of that key is checked; see
// UnsafeAcceptBoundTokens of [Config].
//
// # Keys
//
// Keys are fetched when a token needs them: for the first token, for an unknown
// kid, and when they have become too old. All callers share one fetch, which is
// cancelled when the last one leaves. An answer must be a key set of at most 150 kB
// that arrives within 1.5 seconds; redirects are not followed.
//
// Keys are used for as long as Cache-Control says, from 5 minutes to 23 hours, and
// for an hour if it says nothing. That is how long a key stays trusted after its
// issuer has removed it. If the issuer does not answer, known keys are used until
// they are 24 hours old. Failed fetches are repeated after a second, then after
// twice as long each time, up to 30 seconds. Without keys the error is Unavailable:
// an outage never makes a good token a bad one.
//
// For unknown kids a set is fetched every 10 seconds, and twice in a row after a
// quiet time. A kid that is not in the answer is refused. If the next fetch may not
// begin yet, the error is Unavailable, with RetryAfter. So made-up kids can delay a
// new key by 10 seconds, and never have its tokens denied.
//
// Load balancers have a URI for each key: one is fetched every second for unknown
// kids, and 16 are kept. Made-up kids compete with new ones there, so accept such
// tokens from the load balancer alone.
package jwt
