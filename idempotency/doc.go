// Package idempotency lets a request have one effect and always the same
// answer, however often it is sent: by a client that did not hear the answer, a
// gateway that tried again, a queue that delivers at least once.
//
//	func main() {
//		store := dynamo.New(dynamodb.NewFromConfig(cfg), os.Getenv("IDEMPOTENCY_TABLE"))
//		guard.Start(httpapi.Func(placeOrder),
//			guard.Log(logger),
//			httpapi.Problems(),
//			guard.Recover(),
//			guard.Deadline(300*time.Millisecond),
//			validate.Body(orderSchema),
//			idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//		)
//	}
//
// [Once] is a layer around a handler, one key per event. [Do] is for inside a
// handler: one key per record of a batch, or per effect of several. What
// refuses a request belongs outside of Once, so that it uses up no key; what
// answers errors does too, so that such an answer can be replayed.
//
// # How it works
//
// An attempt claims the key with one conditional write. If another attempt holds
// the key, the write fails and returns the holder. Otherwise the handler runs, and
// the record is completed with its answer, or released after an error. A claim has
//
//   - a lease: until the invocation must have ended, nobody else may begin;
//   - an owner token, which is random;
//   - an epoch, which counts the attempts.
//
// Completing and releasing are conditional on owner and epoch. This is the fence:
// an attempt that comes late, after another has taken its place, changes nothing,
// and its caller gets an error instead of a success.
//
// The key is stored with whom and what it is for: function, operation or route,
// the caller that the gateway has authenticated, tenant. With it goes a
// fingerprint of the request, so that a key cannot be used for another one.
//
// # What is promised
//
// Within the [TTL], as long as the store keeps what it has acknowledged:
//
//   - While a lease runs, nobody else runs the handler under the key.
//   - At most one attempt completes a key, and once completed it is neither
//     overwritten nor removed: every repeat gets that answer.
//   - An attempt that has lost its key never reports a success. Where the store
//     is silent this goes by the attempt's own clock: once its lease is over it
//     reports idempotency_outcome_unknown. A clock that is behind by more than
//     the [Skew] can make it report a success all the same.
//   - A repeat with another payload, by another caller, of another tenant or for
//     another operation never gets the answer.
//   - Without the store nothing runs.
//
// # What is not
//
// That the handler runs once. It runs at most once per epoch, and there is a
// next epoch when a lease is over and nobody has completed: the process was
// stopped, it panicked, it could not reach the store. What the attempt before
// did by then is unknown, and no store can tell. [AfterTimeout] chooses:
//
//   - [Rerun] runs again. The effect may happen twice. It is right for effects
//     that can be repeated, and where one that is missing is worse than one too
//     many.
//   - [Refuse] does not. The effect happens at most once, perhaps not at all,
//     and someone has to look: the key answers with an error until the record
//     expires or is removed by hand.
//   - [Reconcile] asks, of a payment provider or a table, what happened. It is as
//     good as the answer: an effect that is still under way looks like none, so
//     the [Lease] has to outlast what the handler has begun.
//
// An error that the handler returns is taken at its word: nothing has happened,
// and the next try runs. A handler that does not know, because a provider did
// not answer in time, returns an error that wraps [ErrOutcomeUnknown]; with
// Refuse and Reconcile a timeout means that by itself, see [AfterTimeout]. A
// handler that fails halfway has to undo its half, or to make of each half an
// operation for [Do].
//
// If the store fails at the completion, the caller gets its success all the
// same, since the effect is there, unless the lease is over by then. [OnStoreError]
// and the log hear of it. To the store that attempt is unfinished. With Rerun a
// repeat after the lease runs again, and two callers have each been told of a
// success of their own. Writes that were staged are another matter, see below.
//
// The lease follows the deadline of the invocation, and so rests on clocks that
// are apart by no more than [Skew]. Where they are further apart a lease can be
// taken early. Then two attempts run at the same time; the fence holds, and one
// of them is told that it has lost.
//
// A key that is completed may not be replayed: an answer that is too large for
// the store is not kept. Repeats then get idempotency_result_unavailable, and
// never a second run. After the TTL a key is new.
//
// # Why exactly once needs a transaction
//
// Between an effect and the record of it there is always a moment in which a
// process can die, in whichever order they are done. Nobody can then tell
// whether the effect is there, unless both are one step. So they must be in one
// transaction: effect and completion, conditional on the fence, commit together
// or not at all.
//
// Where the effect is a write to DynamoDB, package dynamo does that: what the
// handler gives to dynamo.Stage is there when its answer is, and once. The
// caller is told of a success only when the store has said so. A commit whose
// answer is lost is withdrawn or found done, not run again; if the store says
// nothing at all, the caller gets idempotency_commit_unknown, and a repeat finds
// out. With effects of that kind alone Rerun is exact. Other stores can offer
// the same, see [Transactor].
//
// Where the effect is elsewhere, its receiver has to be idempotent as well: hand
// it a key that stays the same from attempt to attempt, like the order's number,
// and Rerun is exact.
//
// # HTTP
//
// [Header] follows the IETF draft of the Idempotency-Key header. What is kept
// is said by [Keep]. Behind a route of a gateway, "PUT /orders/{id}", the key
// belongs to the route, and using it for another order is refused, as method,
// path and query are part of the fingerprint. Behind $default the function does
// not know its routes, and each path has keys of its own: a repeat that spells
// the path in another way is another request. [Name] the operation where that
// matters.
//
// # Queues and streams
//
// A message comes back while its key may still be held by the attempt that was
// stopped. It is then refused with idempotency_in_progress, which counts as a
// failed delivery. So the lease has to be over by then:
//
//   - SQS delivers again after the visibility timeout. AWS wants it to be six
//     times the timeout of the function; it must be more than that timeout plus
//     [Skew], and more than a [Lease]. Otherwise each delivery that comes too
//     early uses up one of maxReceiveCount, and the message may end in the
//     dead-letter queue without having been tried again.
//   - Kinesis and DynamoDB streams deliver again at once and let nothing else of
//     the shard pass. [Wait] a second longer than Skew, and allow for more than
//     one attempt in MaximumRetryAttempts.
//   - An event that Lambda itself has queued is retried after a minute, then
//     after two: a lease that follows the invocation is over by then.
//   - With [Refuse] a key that is unknown fails at every delivery. A dead-letter
//     queue is where somebody finds it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
package idempotency
