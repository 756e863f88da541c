// Package jmespath makes idempotency keys from the parts of an event that a
// JMESPath expression selects.
//
//	idempotency.Once(store, jmespath.Key("[body.customer, body.order]"))
//
// The same function makes a fingerprint or a scope:
//
//	idempotency.Once(store, idempotency.Header("Idempotency-Key"),
//		idempotency.Fingerprint(jmespath.Key("body.[order, amount]")),
//		idempotency.Scope(jmespath.Key("requestContext.authorizer.lambda.user")))
//
// https://jmespath.org/specification.html
package jmespath
