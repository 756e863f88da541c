// Package secrets caches secrets, refreshes them on use and redacts them
// everywhere.
//
//	func main() {
//		keys := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
//		guard.Start(httpapi.Func(pay),
//			guard.Log(logger),
//			httpapi.Problems(),
//			guard.Recover(),
//			guard.Deadline(300*time.Millisecond),
//			keys.Inject("payments/api-key", "payments/webhook"),
//		)
//	}
//
//	func pay(ctx context.Context, in Payment) (Receipt, error) {
//		key := secrets.From(ctx, "payments/api-key")
//		return provider.Charge(ctx, key.Text(), in)
//	}
//
// A [Cache] stands before a [Source]. Secrets Manager, Parameter Store, the
// local agents and Vault are in packages of their own, so that a function links
// only the client that it uses. [Env] and [Dir] are here. Values that are not
// secret, like a feature flag or a log level, can be kept in the same way.
//
// # Fresh enough
//
// A value is fresh for a [TTL] of 5 minutes, a tenth more or less. The first call
// after that asks the source and waits for it. If the source is throttled, out of
// time, failing or unreachable, the old value is served for up to [MaxStale], 15
// minutes more. It is also served to the calls that come while another one is
// asking. Such a value is visible: [Secret.Stale] reports it, [OnStale] is
// called, and the record of the invocation names it. After MaxStale there is an
// error.
//
// A source that answers without a value, because the secret is gone, may not be
// read or cannot be decrypted, is believed at once, and not asked again for 5 s
// ([NegativeTTL]). No stale value is served instead: a secret that is revoked
// must stop working.
//
// After a failure the source is not asked for 1 s, then 2 s, 4 s and so on up to
// a minute, or up to 5 s where nothing can be served meanwhile. The first success
// ends this. Nothing sleeps: in between there is a stale value, or an error with
// the rest of the wait as RetryAfter.
//
// All of this is judged on use and by the wall clock, because the process is
// frozen between invocations and the monotonic clock may stop. If the wall clock
// has gone back by more than a second, the age of a value is unknown: it is
// fetched anew, and not served stale. Age counts from the beginning of a fetch.
//
// # One fetch for all
//
// However many calls miss a value, one fetches it, for up to 2 s
// ([FetchTimeout]). Each call leaves when its own context ends, and disturbs no
// other. The fetch goes on and fills the cache for the next call, until the last
// invocation that wanted it is over. Outside [guard.Wrap] the end of an
// invocation is unknown, and FetchTimeout alone ends a fetch.
//
// A call with a stale value to go on with waits for at most half of the time that
// its context has left, and then serves that value. The wait counts as a failure,
// and until the source answers again, stale values of other names are served
// without a wait. A fetch that is cut by the deadline of its invocation is a
// failure too. One that ends because its invocation has answered is not, nor is
// one that was frozen with the process: whoever still waits asks again.
//
// [Cache.Prefetch] and [Cache.Inject] fetch all that they miss in one call of
// the source, which makes as few requests as it can.
//
// # Rotation
//
// [Try] is for secrets that are shown to others: if one is rejected there, it
// fetches past the cache and tries once more. [Cache.Pair] is for secrets that
// others show to us: it returns the current and the previous value. The TTL ends
// with the next rotation where the source knows its time.
//
// # Never shown
//
// A [Secret] is redacted in fmt, slog, JSON, XML and panics, also within other
// types, and errors name the secret and never its content. [Secret.Text],
// [Secret.Bytes] and the results of [JSON] and [Decode] are the value itself, and
// nothing guards them any more.
//
// The memory of a value is the garbage collector's. What a [Source] returned is
// zeroed once the cache has its copy; a value that was replaced is not.
//
// # Bounds
//
// The cache keeps 1000 values and errors ([MaxEntries]). What is used stays,
// and a stream of names that are asked for once passes by it. The key is all that
// changes an answer: name, version, stage and decryption.
package secrets
