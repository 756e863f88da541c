// Package lambdarmor documents a library of middleware that makes AWS Lambda
// handlers secure and reliable. It exports nothing: import the packages below.
//
// A Lambda handler is a [github.com/aws/aws-lambda-go/lambda.Handler]: bytes in,
// bytes out. A layer takes a handler and returns one, as net/http middleware does.
// So layers compose with each other and with layers of other libraries:
//
//	log := logging.New(os.Stdout)
//	httpapi.Start(httpapi.Func(placeOrder), log, // Log, Problems, SecurityHeaders, Recover, Limit, Deadline
//		authorizer.Require(check),
//		validate.Body(orderSchema),
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//	)
//
// The first layer is outermost. A chain in an unsafe order panics when it is
// built. The function at the centre is a plain one:
//
//	func placeOrder(ctx context.Context, in Order) (Receipt, error)
//
// # Packages
//
//   - guard builds the chain and has the layers that every function needs.
//   - guard/logging makes the logger; guard/layer and guard/request are for
//     authors of layers; guard/jmespath finds texts in events by an expression.
//   - guard/httpapi serves HTTP APIs, REST APIs, function URLs, load balancers and
//     VPC Lattice.
//   - guard/batch handles the records of queues and streams; guard/async keeps an
//     asynchronous event that can never succeed.
//   - guard/origin, guard/recursion and guard/quota refuse invocations from the
//     wrong place, loops, and requests beyond a quota.
//   - guard/metrics writes metrics to CloudWatch; guard/otel and guard/xray, modules
//     of their own, trace; guard/outgoing sends ids and credentials with requests.
//   - guard/extension makes programs that run beside a function; guard/metadata reads
//     the availability zone.
//   - guard/approved refuses to start a binary of modules that nobody has approved;
//     guard/approved/list, a command and a module of its own, writes the list.
//   - guard/guardtest tests functions, and extensions beside them, against a Lambda
//     runtime, API gateways, queues and streams; guard/local is a command that runs
//     them on this machine.
//   - authorizer decides who may call; authorizer/jwt checks tokens,
//     authorizer/webhook checks signed webhooks.
//   - validate checks JSON Schemas; validate/structs checks validator tags.
//   - idempotency runs a request once for each key; idempotency/dynamo and
//     idempotency/valkey keep the keys.
//   - secrets caches secrets; the packages below it fetch them.
//   - examples has starters to copy.
//
// # What holds everywhere
//
// What was validated is what is decoded: JSON with two meanings is refused. Checks
// fail closed. Payloads, secrets and panic values stay out of logs and answers.
// Layers wait for the handler and never abandon it. There are no background
// goroutines, and any number of invocations may run at once in one process.
package lambdarmor
