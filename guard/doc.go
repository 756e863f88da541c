// Package guard wraps Lambda handlers in layers that log, recover from panics,
// refuse oversized events, and end the context before Lambda's timeout.
//
// A handler is a [lambda.Handler]: bytes in, bytes out. A layer, a [Middleware],
// is a func(lambda.Handler) lambda.Handler. Nothing else is needed to write one,
// and layers of other libraries fit as they are.
//
//	func placeOrder(ctx context.Context, in Order) (Receipt, error) { … }
//
//	func main() {
//		guard.Start(guard.Func(placeOrder), guard.Default(logging.New(os.Stdout)))
//	}
//
// [Func] decodes the event strictly, calls a plain function, and encodes the
// answer as [lambda.NewHandler] does. [Default] is [Log], [Errors], [Recover],
// [Limit] and [Deadline]. For HTTP use package httpapi: it has a Func, routes, an
// adapter for net/http, and a Default of its own.
//
// # Order
//
// The first layer listed is outermost: it sees the event first and the answer
// last.
//
//	Log        sees all that the others do
//	Errors     turns an error into the public one for the platform
//	Recover    turns a panic into an error
//	Limit      refuses an oversized event before an inner layer reads it
//	Deadline   ends the context early, so that the outer layers can answer and log
//	…          layers that authorize, validate, make a call idempotent, in this order
//
// Layers of this module have names. A chain in an unsafe order panics when it is
// built, with a sentence that says what to list first. An order that is only
// unwise is logged as a warning by the first invocation. docs/order.md has the
// rules.
//
// # What layers share
//
// [Wrap] and [Start] put one [Event] into the context of an invocation. [EventOf]
// returns it. Its views are decoded once for all layers. [AddAttrs] adds fields to
// the one record of the invocation. Package layer has more for authors of layers,
// and package logging makes the logger.
//
// # Restore and shutdown
//
// With SnapStart every copy of a function begins with the memory of one snapshot.
// [OnRestore] drops what must not be shared, and layers of this module drop their own:
// docs/restore.md has the list. [OnShutdown] is called before Lambda ends the process.
//
// # Errors
//
// An [*Error], however wrapped, has a code and a detail for the caller, a [Kind]
// for the platform, and a cause for the operator. Any other error is Internal: the
// log has its type, and its text if that is a [Reason].
//
// # What a chain cannot do
//
// Recover catches a panic of the goroutine that runs the handler. A panic in a
// goroutine that the handler starts ends the process. So do fatal errors of the Go
// runtime, and [runtime.Goexit]. Deadline cannot stop a handler that ignores its
// context: it waits, and Lambda ends the process. Limits bound what is decoded
// here, not what a handler decodes itself from [Event.Raw].
//
// # Response streaming
//
// A chain returns its answer whole. A function URL in the mode RESPONSE_STREAM
// works, and gets the answer at once. [Func] reads an io.Reader that the handler
// returns to its end, inside the chain. A later read could not be recovered, timed,
// logged or stored.
package guard
