// Package jwt verifies the tokens of Amazon Cognito, of OpenID Connect and
// OAuth issuers, and of Application Load Balancers, and makes of each a
// decision that an authorizer can give:
//
//	func main() {
//		tokens := jwt.New(jwt.Cognito("eu-central-1_AbCdEfGhI", "7h2k3j4l5m6n7o8p9q0r1s2t3u"))
//		guard.Start(authorizer.Simple(authorizer.Routes(map[string]authorizer.Check{
//			"GET /orders":  authorizer.Bearer(tokens),
//			"POST /orders": authorizer.All(authorizer.Bearer(tokens), authorizer.Scopes("orders/write")),
//		})),
//			guard.Log(logger),
//			guard.Errors(),
//			guard.Recover(),
//			guard.Deadline(300*time.Millisecond),
//		)
//	}
//
// [Cognito] is for access tokens, [CognitoID] for ID tokens, [AccessToken] for
// what follows RFC 9068, and [ALB] for the header x-amzn-oidc-data. Any other
// issuer is described by a [Config] of its own:
//
//	jwt.New(jwt.Config{
//		Issuer:    "https://tenant.eu.auth0.com/",
//		Audiences: []string{"https://api.example.com"},
//		Context:   []string{"org_id"},
//	})
//
// A load balancer's token is not in Authorization, so its Check is
//
//	func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
//		return tokens.Verify(ctx, r.Header("X-Amzn-Oidc-Data"))
//	}
//
// # What is checked
//
// A token is a signed JWT in its compact form (RFC 7515, RFC 7519), judged by
// the rules of RFC 8725. Nothing of it has two readings: base64 has one form,
// numbers have a range, and of JSON no member is there twice, nor one whose name
// differs from that of a claim that is read in case alone. Bytes, levels and
// values are counted before they are read.
//
// Only the algorithms of the [Config] are accepted, none never is, and a secret
// is never used beside public keys. The key is one that the verifier has: what
// the header says of keys is not followed, and kid is a name to look up. Use,
// algorithm, type and curve of the key must agree with it. iss, aud or
// client_id, exp, and where they are there nbf and iat, must hold; nbf and iat may
// be 5 seconds ahead. typ and token_use tell one kind of token from another. Where
// ID tokens of an issuer have neither, and the audience of access tokens, like
// those of an application in Entra ID that is its own API, ask for a scope as
// well: they have none.
//
// What is not checked is whether a token was revoked: it holds until exp. And
// whoever has it can use it. A token that its issuer has bound to a key of the
// sender, with the claim cnf, is refused, as no proof of that key is checked: see
// UnsafeAcceptBoundTokens of the [Config].
//
// # Keys
//
// Keys are fetched when a token needs them: the first one, one with a kid that
// is not known, or one that comes when they have become old. There is one fetch
// at a time for all who wait, each with the context of its own, and it ends
// with the last of them; nothing runs in between. An answer must be a key set
// of at most 150 kB, come within 1.5 seconds, and not be a redirect.
//
// They are used for as long as Cache-Control says: for at least 5 minutes and
// at most 23 hours, and for an hour when it says nothing. That is how long a key
// can be trusted after its issuer has removed it. When the issuer does not
// answer, known keys are used until they are 24 hours old; failures are repeated
// after a second, then after twice as long each time up to 30 seconds. An issuer
// that takes longer than there is time to wait fails, too, where there are known
// keys to go on with. Without keys an error is Unavailable: a good token is never
// called a bad one.
//
// For unknown kids a set is fetched every 10 seconds, twice in a row after a
// quiet time. A token whose kid was asked for and is not there is a bad one. One
// whose kid is not to be asked for yet is not judged: the error is Unavailable,
// with RetryAfter. So kids that are made up, however many and whenever they are
// sent, can delay a new key by 10 seconds and never have its tokens denied. Load
// balancers have each key at a URI of its own: for unknown kids one is fetched
// every second, and 16 are kept. There, kids that are made up compete with a new
// one, so its tokens are best taken from the load balancer alone.
package jwt
