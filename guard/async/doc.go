// Package async sends an event that can never succeed to a sink, so that Lambda does
// not try it again. It is for functions that are invoked asynchronously: by S3, SNS,
// EventBridge, or a client with InvocationType Event.
//
// Lambda tries an event again after every error, after one minute and after two, and
// then sends it to the dead-letter queue or the on-failure destination. For an event
// that is Invalid, say, these tries are wasted, and the dead letter is minutes late
// and without the reason. A function cannot end the tries by an error: it can only
// keep the event itself and succeed. [DeadLetter] does that.
//
//	func main() {
//		sink := sqsdead.New(sqs.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS"))
//		guard.Start(guard.Func(bookPoints), guard.Default(log), async.DeadLetter(sink))
//	}
//
// # Which errors go to the sink
//
// Those whose kind is not [guard.Kind.Retryable]. Any other error is returned: Lambda
// tries again, and in the end its own dead-letter queue takes the event. Configure one
// also with a sink. It gets what the sink does not: errors that may pass but do not,
// timeouts, processes that end, and events for which the sink failed.
//
// # Order
//
// List DeadLetter after guard.Default: guard.Errors turns an error into one that has
// no kind any more. A chain in which guard.Errors stands inside is refused, and so is
// one around a handler of package batch or httpapi. A batch answers for each record, and
// has batch.DeadLetters; an HTTP client has to get the error. A chain in which
// idempotency.Once stands outside is refused, too: the event would count as done.
//
// An event that guard.Limit refuses does not reach the layer: it is left to Lambda.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html.
package async
