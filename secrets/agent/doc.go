// Package agent gets secrets, parameters and configurations from the agents
// that AWS runs beside a function: the Parameters and Secrets Lambda extension,
// the Secrets Manager Agent, and the AppConfig agent. It speaks HTTP to this
// machine and links no AWS client.
//
//	func main() {
//		keys := secrets.New(agent.Secrets())
//		settings := secrets.New(agent.AppConfig(), secrets.TTL(10*time.Second))
//
//		_ = keys.Prefetch(context.Background(), "payments/api-key") // in the first invocation, see below
//		guard.Start(guard.Func(handler),
//			guard.Default(logger),
//			keys.Inject("payments/api-key"),
//			settings.Inject("shop/prod/settings"),
//		)
//	}
//
// The extension is a layer of the function, and so is AppConfig's; both find
// their ports in the variables that AWS documents, and so does this package.
//
// # One cache is enough
//
// The extension keeps values for 5 minutes on its own. Behind the cache of
// package secrets that only hides a rotation: [secrets.Try] asks for the new
// secret, and gets the old one. Set SECRETS_MANAGER_TTL and
// SSM_PARAMETER_STORE_TTL to 0 on the function, or use [RefreshNow] with the
// Secrets Manager Agent. The AppConfig agent polls by itself and answers from
// memory, so a short TTL costs little.
//
// # Before the first invocation
//
// The extension answers within invocations alone. Until there is one, its
// refusal is [secrets.ErrOutsideInvocation]: a [secrets.Cache.Prefetch] at init is no
// error, and takes place with the first fetch of the first invocation. There
// the extension may be some milliseconds behind the function; it is asked again
// until it answers, within the time of the fetch.
//
// # Errors
//
// The agents pass on AWS's status 400 for all there is. What is throttled is
// told here from what is denied or missing by the words of the answer, and is
// [secrets.ErrUnavailable]: a value that is there goes on serving within the
// bounds of the cache. The Lambda extension often gives no reason at all, "an
// unexpected error occurred while executing request". That is ErrUnavailable as
// well, or a burst of cold starts would fail functions that have what they need;
// so a revoked secret may then serve until [secrets.MaxStale] is over. Where it
// must not, set that to 0, or use package awssecrets, which always knows.
//
// An error has what the agent said in one word, and never the answer.
package agent
