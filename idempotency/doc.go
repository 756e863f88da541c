// Package idempotency makes a repeated request take effect once and return the
// first answer again. Repeats come from clients that missed the answer, from
// gateways that retry and from queues that deliver at least once.
//
//	store := dynamo.New(dynamodb.NewFromConfig(cfg), os.Getenv("IDEMPOTENCY_TABLE"))
//	httpapi.Start(httpapi.Func(placeOrder), log,
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")))
//
// [Once] protects a handler, with one key per event. [Do] protects a part of a
// handler, with one key per record of a batch or per effect.
//
// # How it works
//
// An attempt claims its key with one conditional write. If another attempt holds
// the key, the write fails and returns the holder. Otherwise the handler runs, and
// the record is completed with its answer, or released after an error. A claim has
// a lease, which lasts as long as the invocation can, a random owner token, and an
// epoch, which counts the attempts. Completing and releasing are conditional on
// owner and epoch: an attempt that another has replaced changes nothing, and its
// caller gets an error.
//
// The stored key is a hash of function, operation or route, authenticated caller,
// tenant and key. A fingerprint of the request is stored with it, so that the key
// cannot be used for another request.
//
// # What is promised
//
// Within the [TTL], and if the store keeps what it has acknowledged:
//
//   - While a lease runs, no other attempt runs the handler under the key.
//   - At most one attempt completes a key. A completed record is neither
//     overwritten nor removed, and every repeat gets its answer.
//   - An attempt that has lost its key never reports a success. If the store is
//     silent, the attempt's own clock decides: after its lease it reports
//     idempotency_outcome_unknown. A clock that is behind by more than [Skew] can
//     make it report a success all the same.
//   - A repeat with another payload, caller, tenant or operation never gets the
//     answer.
//   - Nothing runs without the store.
//
// # What is not promised
//
// The handler can run more than once: once per epoch. The next epoch begins when a
// lease has ended and nobody has completed, because the process was stopped, the
// handler panicked or the store was down. The outcome of the attempt is then
// unknown. [AfterTimeout] and [Reconcile] decide:
//
//   - [Rerun] runs again, and the effect may happen twice. Use it if the effect
//     can be repeated, or if a missing one is worse.
//   - [Refuse] does not. The effect happens at most once, and the key returns an
//     error until the record expires or is removed by hand.
//   - [Reconcile] looks up what happened, at a payment provider or in a table. An
//     effect that is still under way looks like none, so the [Lease] must outlast
//     what the handler has begun.
//
// An error of the handler means that nothing has happened, and the next try runs.
// A handler that does not know returns an error that wraps [ErrOutcomeUnknown].
// With Refuse and Reconcile a timeout means the same. A handler that fails halfway
// has to undo its half, or make each half an operation for [Do].
//
// If the store fails at the completion, the caller still gets its success, unless
// the lease has ended, and [OnStoreError] is called. With Rerun a repeat after the
// lease runs again. A result that is too large is not stored: repeats get
// idempotency_result_unavailable.
//
// # Exactly once
//
// A process can always die between an effect and the record of it, unless both are
// written in one transaction. Package dynamo does that for writes to DynamoDB, see
// dynamo.Stage: they happen exactly once, also with Rerun. Other stores can do the
// same, see [Transactor]. If the effect is elsewhere, pass its receiver a key that
// stays the same from attempt to attempt.
//
// # HTTP
//
// [Header] follows the IETF draft of the Idempotency-Key header. Behind a route of
// a gateway, such as "PUT /orders/{id}", the key belongs to the route, and using it
// for another order is refused. Behind $default each path has its own keys, so
// that another spelling of the path is another request; set a [Name] if that
// matters.
//
// # Queues and streams
//
// A message comes back while the attempt that was stopped may still hold its key.
// It is then refused with idempotency_in_progress, which counts as a failed
// delivery. So the lease has to end before:
//
//   - SQS: set the visibility timeout above the function's timeout plus Skew, and
//     above any Lease. AWS recommends six times the function's timeout. Otherwise
//     early deliveries use up maxReceiveCount.
//   - Kinesis and DynamoDB streams deliver again at once. [Wait] a second longer
//     than Skew, and set MaximumRetryAttempts above one.
//   - Lambda retries a queued event after one minute and again after two, when a
//     lease that follows the invocation has ended.
//   - With Refuse an unknown key fails at every delivery, and ends in the
//     dead-letter queue.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
package idempotency
