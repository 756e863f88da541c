// Package webhook lets a handler see only what its sender has signed.
//
//	guard.Start(httpapi.Func(paid),
//		guard.Log(logger),
//		httpapi.Problems(),
//		guard.Recover(),
//		guard.Deadline(300*time.Millisecond),
//		webhook.Standard(webhook.Secret(cache, "payments/webhook")),
//		idempotency.Once(store, webhook.DeliveryID, idempotency.Name("payments")),
//	)
//
// A signature is over the body as it was sent, which an authorizer of API
// Gateway never sees: that is why this is a layer around the handler. Base64 is
// taken off first, and no JSON is read before the signature holds.
//
// [Standard] is Standard Webhooks and Svix, [GitHub] and [Stripe] are what they say,
// and [HMAC] describes others. Each accepts several keys at once, so that a
// sender's key can change while requests come in. What is refused is a 401 with
// a stable code, and costs no look-up of a key unless it has the right form; what
// keeps a key from being read is ours, so the sender tries again.
//
// # The same delivery again
//
// A good signature does not say that a request is new: senders repeat, and
// whoever has seen a delivery can too. [DeliveryID] is the key that makes it
// take effect once, for as long as idempotency keeps its records, see
// idempotency.TTL: that has to be longer than the [Tolerance], and than the sender
// goes on trying, which is three days for Stripe.
package webhook
