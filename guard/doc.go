// Package guard wraps Lambda handlers in layers that make them safe to run.
//
// # The one idea
//
// A handler is a [lambda.Handler]: bytes in, bytes out. A layer, a
// [Middleware], is a func(lambda.Handler) lambda.Handler. Nothing else is
// needed to write one, and one of another library fits as it is.
//
//	func placeOrder(ctx context.Context, in Order) (Receipt, error) { … }
//
//	func main() {
//		guard.Start(guard.Func(placeOrder), guard.Default(logging.New(os.Stdout)))
//	}
//
// [Func] stands in the middle: it decodes the event strictly, calls a plain
// function and encodes the answer as [lambda.NewHandler] would. [Default] is
// [Log], [Errors], [Recover], [Limit] and [Deadline]. For HTTP, package httpapi
// has a Func, routes, an adapter for net/http, and a Default of its own.
//
// # Order
//
// The first layer listed is outermost: it sees the event first and the answer
// last.
//
//	Log        sees all that the others do
//	Errors     turns what comes out of the rest into what the platform may read
//	Recover    makes a panic such an error
//	Limit      refuses what is too large before a layer further in reads it
//	Deadline   ends the context in time for those outside to answer and to log
//	…          layers that authorize, validate, make a call idempotent, in this order
//
// Layers of this module carry a name. A chain in an unsafe order panics as it is
// built, with a sentence that says what to list first; [Orders] has the rules. An
// order that is only unwise is a warning in the log of the first invocation.
//
// # What layers share
//
// [Wrap] and [Start] put one [Event] into the context of an invocation. A layer
// asks [EventOf] for it and gets views that are decoded once, however many
// layers ask. [AddAttrs] puts fields into the one record of the invocation.
//
// # Errors
//
// An [*Error], in whatever wrapping, tells the caller a code and a detail, the
// platform a [Kind], and the operator the cause. Any other error is Internal:
// the log has its type, and its text where that is a [Reason].
//
// # What Recover cannot do
//
// It catches a panic of the goroutine that runs the handler. A panic in a
// goroutine that the handler starts ends the process, and so does what the Go
// runtime treats as fatal: concurrent writes to a map, a full memory or stack,
// os.Exit. So does [runtime.Goexit] on the goroutine of the runtime's loop; the
// record says it. Lambda then starts a new process and reports the invocation as
// failed.
//
// # What is not stopped
//
// A handler that ignores its context runs on until Lambda ends it: Go cannot
// stop a goroutine, and Deadline waits for it rather than leave it to run into
// the next invocation. Limits bound what is decoded here, not what a handler
// decodes itself from [Event.Raw]. The [Trigger] of an event is told from its
// shape, which whoever may invoke the function can forge.
//
// # Response streaming
//
// The answer of a chain is whole: a function URL in the mode RESPONSE_STREAM
// works and gets it at once. A [lambda.Handler] returns bytes; aws-lambda-go
// streams only what a function of its own reflected kind returns as a reader,
// and reads the event of such a function with encoding/json before any layer
// has seen it. And what a reader yields after the chain has returned is outside
// of it: a panic there would not be recovered, the deadline's context would be
// over, the record written, and an idempotent answer not stored. A handler that
// returns a reader through [Func] has it read to its end within the chain.
package guard
