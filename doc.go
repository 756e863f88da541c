// Package lambdarmor is the front page of a library of middleware for AWS
// Lambda handlers: security and reliability that wrap a handler without
// entering it. There is nothing to import here; the packages below do the work.
//
// A Lambda handler is [github.com/aws/aws-lambda-go/lambda.Handler], bytes in
// and bytes out. A layer takes one and returns one, as net/http middleware
// does, so layers compose with each other and with anyone else's:
//
//	httpapi.Start(httpapi.Func(placeOrder), logger, // Log, Problems, SecurityHeaders, Recover, Limit, Deadline
//		authorizer.Require(check),
//		validate.Body(orderSchema),
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//	)
//
// The first is outermost, and an order that would be unsafe panics as the chain
// is built. The function at the centre is a plain one:
//
//	func placeOrder(ctx context.Context, in Order) (Receipt, error)
//
// # Packages
//
//   - guard: the chain, the event that is read once, the one error, and the
//     layers that every function should have.
//   - guard/httpapi: HTTP APIs, REST APIs, function URLs, load balancers and VPC
//     Lattice.
//   - guard/request: the HTTP request in an event, for authors of layers.
//   - guard/jmespath: texts found in an event by an expression.
//   - validate: JSON Schema, and in validate/structs validator tags.
//   - idempotency: one effect for each key; idempotency/dynamo and
//     idempotency/valkey keep keys in DynamoDB and in Valkey.
//   - secrets: a cache of secrets, with sources in packages below it.
//   - authorizer: who may; authorizer/jwt for tokens, authorizer/webhook for
//     signed webhooks.
//   - guard/guardtest: a Lambda runtime and APIs with authorizers for tests.
//   - guard/local: a command that runs a function on this machine.
//   - examples: starters to copy.
//
// # What holds everywhere
//
// What was validated is what is decoded: JSON with two meanings is refused.
// Checks fail closed. Payloads, secrets and panic values stay out of logs and
// answers. Layers wait for the handler and never abandon it. There are no
// globals and no background goroutines, and any number of invocations may run
// at once in one process.
package lambdarmor
