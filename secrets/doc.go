// Package secrets caches secrets, refreshes them on use and redacts them in logs,
// JSON and panics.
//
//	func main() {
//		keys := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
//		httpapi.Start(httpapi.Func(pay), logger, keys.Inject("payments/api-key"))
//	}
//
//	func pay(ctx context.Context, in Payment) (Receipt, error) {
//		key := secrets.From(ctx, "payments/api-key")
//		return provider.Charge(ctx, key.Text(), in)
//	}
//
// A [Cache] fetches from a [Source]. [Env] and [Dir] are here; Secrets Manager,
// Parameter Store, DynamoDB, the local agents and Vault are packages of their own,
// so that a function links only the client it uses. Values that are not secret, like a
// log level, can be cached in the same way.
//
// # Freshness
//
// A value is fresh for a [TTL] of 5 minutes, plus or minus a tenth. The first call
// after that asks the source and waits; calls beside it get the old value. If the
// source is throttled, too slow, failing or unreachable, the old value is served
// for up to [MaxStale], 15 minutes more, and then there is an error. Stale values
// are visible: [Secret.Stale] reports them, [OnStale] is called, and the record of
// the invocation names them.
//
// If the secret is gone, may not be read or cannot be decrypted, that is an error
// at once: a secret that is revoked must stop working. The source is not asked
// again for 5 s ([NegativeTTL]).
//
// After a failure the source is not asked for 1 s, then 2 s, 4 s and so on, up to a
// minute. Without an old value it is at most 5 s. In between calls get the old
// value, or an error with a RetryAfter. The first success ends this.
//
// Age counts from the beginning of a fetch, by the wall clock, because the process
// is frozen between invocations. If the wall clock has gone back by more than a
// second, the value is fetched again and not served stale.
//
// # One fetch for all
//
// Calls that miss the same value share one fetch of up to 2 s ([FetchTimeout]).
// Each call leaves when its own context ends, and disturbs no other. The fetch
// goes on and fills the cache until the last invocation that wants it has ended;
// outside [guard.Wrap] only FetchTimeout ends it. [Cache.Prefetch] and
// [Cache.Inject] fetch all that they miss in one call of the source.
//
// A call that has an old value waits for at most half of the time that its context
// has left, and then gets that value. This counts as a failure, and until the
// source answers again, old values of other names are served without a wait. A
// fetch that is cut by the deadline of its invocation is a failure too. A fetch is
// no failure if it was cancelled because its invocation has answered, or frozen
// with the process: calls that still wait fetch again.
//
// # Rotation
//
// [Try] is for secrets that the function shows to others: if one is rejected, it
// fetches past the cache and tries once more. [Cache.Pair] is for secrets that
// others show to the function: it returns the current and the previous value.
// [Refresh] fetches past the cache when something else reports a rotation. The
// TTL ends with the next rotation if the source knows its time.
//
// # Snapshots
//
// With SnapStart a value that was fetched before the snapshot would be served by every
// restored copy until its TTL ends. [Cache.Inject] drops all values after a restore, and
// so does guard.OnRestore with [Cache.Forget] for a cache without Inject. It is not
// served stale either: if the source is down, there is an error.
//
// # Redaction
//
// A [Secret] is redacted in fmt, slog, JSON, XML and panics, also within other
// types. Errors name the secret and never contain it. [Secret.Text],
// [Secret.Bytes] and the results of [JSON] and [Decode] are not protected.
//
// The bytes from a [Source] are zeroed once the cache has its copy. The copy itself
// is left to the garbage collector.
//
// # Limits
//
// The cache keeps 1000 values and errors ([MaxEntries]) and drops the least
// recently used. Its key is all that changes an answer: name, version, stage and
// decryption.
package secrets
