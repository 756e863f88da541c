// Package agent fetches secrets, parameters and configurations from AWS's local
// agents: the Parameters and Secrets Lambda extension, the Secrets Manager Agent and
// the AppConfig agent. It speaks HTTP to this machine and links no AWS client.
//
//	func main() {
//		keys := secrets.New(agent.Secrets())
//		settings := secrets.New(agent.AppConfig(), secrets.TTL(10*time.Second))
//		httpapi.Start(httpapi.Func(pay), logger,
//			keys.Inject("payments/api-key"), settings.Inject("shop/prod/settings"))
//	}
//
// The extensions are layers of the function. They take their ports from variables
// that AWS documents, and this package does as well.
//
// # One cache is enough
//
// The extension caches values for 5 minutes, which hides a rotation: [secrets.Try]
// asks for the new secret and gets the old one. Set SECRETS_MANAGER_TTL and
// SSM_PARAMETER_STORE_TTL of the function to 0. With the Secrets Manager Agent use
// [RefreshNow]. The AppConfig agent polls and answers from memory, so that a short
// TTL costs little.
//
// # Before the first invocation
//
// The extension answers only during invocations. Before the first one its error is
// [secrets.ErrOutsideInvocation], and a [secrets.Cache.Prefetch] is put off until
// the first fetch of the first invocation. There the extension may be some
// milliseconds late; it is asked again until it answers or the fetch ends.
//
// # Errors
//
// The agents answer 400 for every error of AWS. This package reads from the text
// whether a request was denied or throttled. Throttling is
// [secrets.ErrUnavailable], so an old value is served. The Lambda extension often
// has no reason, "an unexpected error occurred while executing request". That is
// ErrUnavailable as well, or a burst of cold starts would fail functions that have
// what they need. So a revoked secret may be served until [secrets.MaxStale] is
// over. Where it must not, set MaxStale to 0, or use package awssecrets.
//
// An error has one word of the answer, and never the answer.
package agent
