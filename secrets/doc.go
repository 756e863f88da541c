// Package secrets gives a function its secrets: fetched once, fresh enough,
// never shown.
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
// the client of that which it uses; [Env] and [Dir] are here. What is no secret,
// like a feature flag or a log level, can be kept in the same way.
//
// # Fresh enough
//
// A value serves for a [TTL] of 5 minutes, a tenth more or less. The first call
// after that asks the source and waits for it. If the source cannot be asked,
// because it is throttled, out of time, failing or not to be reached, the old
// value serves for up to [MaxStale], 15 minutes more, and so it does for the
// calls that come while another one is asking. Such a value says so,
// [Secret.Stale], is told to [OnStale], and is named in the record of the
// invocation. After MaxStale it is an error.
//
// A source that answers and gives no value, as the secret is gone, may not be
// read or not be decrypted, is believed at once, and for 5 s ([NegativeTTL])
// not asked again: a secret that is revoked must stop working. A stale value
// never covers that.
//
// After a failure the source is left alone for 1 s, 2 s, 4 s and so on up to a
// minute, or 5 s where there is nothing to serve meanwhile. The first success
// ends it. Nothing sleeps: in between the answer is a stale value, or the error
// with the rest of the wait as RetryAfter.
//
// All of this is judged on use by the wall clock, as the process is frozen
// between invocations and the monotonic clock may stop. Where the wall clock
// has gone back by more than a second, nothing tells how old a value is: it is
// fetched anew, and not served stale. The age of a value counts from the
// beginning of its fetch.
//
// # One fetch for all
//
// However many calls miss a value, one fetches it, for up to 2 s
// ([FetchTimeout]). The fetch has a goroutine of its own: each call leaves when
// its own context ends, and disturbs no other. The fetch goes on, and fills the
// cache for the next call, until the last invocation that wanted it is over.
// Outside [guard.Wrap] nothing tells when that is, and FetchTimeout alone ends it.
//
// A call that has a stale value to go on with waits for at most half of the time
// that its context has left, and then serves that. This counts as a failure of
// the source, and so does a fetch that the deadline of an invocation ends. A
// fetch that ends because its invocation has answered is none, nor is one that
// was frozen with the process: those who still wait ask again.
//
// [Cache.Prefetch] and [Cache.Inject] fetch all that they miss in one call of
// the source, which makes as few requests as it can.
//
// # Rotation
//
// [Try] is for secrets that are shown to others: if they are rejected there, it
// fetches past the cache and tries once more. [Cache.Pair] is for secrets that
// others show to us: it has the current and the previous value. A source that
// knows the time of the next rotation ends the TTL with it.
//
// # Never shown
//
// A [Secret] hides itself in fmt, slog, JSON, XML and panics, also within other
// types, and errors name the secret and never its content. [Secret.Text],
// [Secret.Bytes] and what [JSON] makes of it are the value itself, and nothing
// guards them any more.
//
// A value is in memory once, and is zeroed when the garbage collector finds that
// nothing refers to it: neither the cache, nor a Secret, nor a string that Text
// gave. That is after it was replaced and its last user is done, sooner or
// later. Copies that a client, [Secret.Bytes] or JSON made are beyond reach.
//
// # Bounds
//
// The cache keeps 1000 values and errors ([MaxEntries]). What is used stays,
// and a stream of names that are asked for once passes by it. All that changes
// an answer is part of the key: name, version, stage, decryption; the source is
// the cache's own.
package secrets
