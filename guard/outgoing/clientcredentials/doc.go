// Package clientcredentials sends OAuth 2.0 access tokens with HTTP requests, which it
// gets by the client credentials grant: a service that calls another one as itself, for
// no user.
//
//	secret := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
//	stock := clientcredentials.New("https://login.example/oauth2/token", "orders", secret, "orders/client-secret",
//		clientcredentials.Scopes("stock.read"))
//
//	client := &http.Client{Transport: stock.Transport(nil, "stock.example")}
//
// # One fetch for all
//
// A [Source] keeps one token. Callers that need a new one share one request; each leaves
// when its own context ends, and disturbs no other. Nothing runs between calls: once the
// last caller has left, the request ends.
//
// # Expiry
//
// A token is renewed by the first call in the last fifth of its life, at a random moment
// so that not all processes ask at once. That call waits up to a second, and up to half
// of the time that it has left; calls beside it use the token that they have. If the
// server does not answer, all go on with it until it expires. Age counts from the
// beginning of the request, by the wall clock, because the process is frozen between
// invocations. A token without expires_in is kept for 5 minutes, and none for more than
// a day.
//
// # Failures
//
// After a failure the server is not asked for 1 s, then 2 s, 4 s and so on, up to a
// minute, or for as long as its Retry-After asks, up to a minute too. Meanwhile a token
// that has not expired is used; without one calls get the error at once, with a
// RetryAfter.
//
// If the server says invalid_client, the secret may have been rotated: it is fetched past
// the cache and tried once more, see secrets.Try.
//
// If the other service answers 401, the token may have been revoked: a new one is
// fetched, and the request sent once more if its body can be. This happens up to twice
// in a row and then every 10 s, because a service that refuses every token must not
// make the server issue them without end.
//
// # What is accepted
//
// An answer is JSON without ambiguity (package guard reads events in the same way), of
// at most 64 kB, with a token of type Bearer. Redirects of the token endpoint are not
// followed: the secret would go along.
//
// The secret is sent by client_secret_basic, which every server must support. Before, it
// and the client id are encoded like a form, as RFC 6749 asks. A server that does not
// decode them, such as one of Authlib 1.9, answers invalid_client if they have characters
// other than letters, digits and "-._~". It needs [SecretInBody].
//
// Neither private_key_jwt nor mutual TLS is supported: their keys belong into KMS or ACM,
// and the AWS SDKs do not sign such an assertion.
//
// https://www.rfc-editor.org/rfc/rfc6749#section-4.4
// https://www.rfc-editor.org/rfc/rfc6750
package clientcredentials

// golang.org/x/oauth2 v0.38.0 is not used. Its ReuseTokenSource holds a mutex while it
// fetches, so a caller waits for another's request with no context of its own, and the
// request has the context of the source, which no invocation bounds. There is no pause
// after a failure. A token without expires_in is kept for ever, and one that the other
// service rejects until it expires. The secret is a string in a Config, so one that was
// rotated needs a new source. Any failure at first makes it send the secret once more in
// the other way. An error quotes the answer of the server. Its expiry is judged by the
// wall clock, as here.
