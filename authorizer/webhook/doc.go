// Package webhook has middleware that refuses webhooks whose signature is missing or
// wrong.
//
//	httpapi.Start(httpapi.Func(bookPayment), log,
//		webhook.Standard(webhook.Secret(cache, "payments/webhook")),
//		idempotency.Once(store, webhook.DeliveryID, idempotency.Name("payments")),
//	)
//
// [Standard] is for Standard Webhooks and Svix, [GitHub] and [Stripe] for those
// two, and [HMAC] for other senders. Each accepts several keys at once, so that a
// key can be changed while requests come in.
//
// A signature covers the body as it was sent. An authorizer of API Gateway never
// sees the body, so these are layers around the handler. They decode base64 first,
// and read no JSON before the signature holds.
//
// A refused request gets a 401 with a stable code. No key is fetched for a request
// without a well-formed signature. If a key cannot be read, the answer is a 5xx, so
// that the sender retries.
//
// # Repeated deliveries
//
// A good signature does not prove that a request is new. Senders repeat deliveries,
// and so can anybody who has seen one. With [DeliveryID] as the key of
// idempotency.Once each takes effect once. Let idempotency keep its records
// (idempotency.TTL) for longer than the [Tolerance], and for longer than the sender
// repeats: Stripe does so for three days.
package webhook
