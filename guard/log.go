package guard

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// LogOption changes [Log].
type LogOption func(*logLayer)

// Correlate gives every record of an invocation a correlationId, as find takes
// it from the event; package guard/jmespath finds one by an expression. It may
// come from a caller: what is longer than 128 bytes or not printable ASCII is
// not taken.
func Correlate(find func(ctx context.Context, ev *Event) string) LogOption {
	if find == nil {
		panic("guard: Correlate with a nil function")
	}
	return func(l *logLayer) { l.correlate = find }
}

// UnsafePayload adds the whole event to the record, as payload: with every
// password, token and address that callers send.
func UnsafePayload() LogOption {
	return func(l *logLayer) { l.payload = true }
}

// UnsafePanicValues adds the value of a panic to error.cause, whatever the
// handler has put into it.
func UnsafePanicValues() LogOption {
	return func(l *logLayer) { l.panics = true }
}

// UnsafeErrorTexts makes error.cause the text of the error, as its Error method
// returns it, up to 8 kB. Errors quote what they could not read, so passwords,
// tokens and addresses that callers send will be in the log. Use it where no
// real caller is: on a test stage.
func UnsafeErrorTexts() LogOption {
	return func(l *logLayer) { l.texts = true }
}

// KnownErrors shows the texts of errs in error.cause, wherever in a chain they
// are. It is for sentinels that are not a [Reason], like sql.ErrNoRows.
func KnownErrors(errs ...error) LogOption {
	return func(l *logLayer) { l.known = append(l.known, errs...) }
}

// Log writes exactly one record per invocation to l, whatever happens to it:
// at level INFO, WARN for a caller's fault, ERROR for ours. It belongs
// outermost. The record has the keys
//
//	requestId functionName functionVersion coldStart traceId tenantId
//	trigger durationMs remainingMs
//	method route status             of an HTTP request
//	principal                       where a layer has found out who calls
//	error.kind .code .cause         of a failure, also one made a response
//	error.violations                of a refusal: the first ten places
//	error.stack                     of a panic
//
// and what [AddAttrs] has added, of which a key named like one of these becomes
// fields.status and so on. Keys with nothing to say are left out. Never in it
// are the payload, the answer and the value of a panic.
//
// Nothing that a caller sent is in error.cause, unless the program puts it into
// a code, a [Reason] or a LogValue, or an option is given. It has the types of
// the errors in the chain, outermost first:
//
//	*url.Error Post: *net.OpError dial tcp: *os.SyscallError connect: connection refused
//	*smithy.OperationError DynamoDB PutItem: *http.ResponseError status 400 request 7QKT: *types.ProvisionedThroughputExceededException
//
// Texts are of a Reason, of an error with a LogValue method, of the Go runtime,
// the operating system, and the sentinels of the standard library, as these are
// constants. Words and numbers beside a type are the operation, the
// status, the code and the request id that the error has a method or a field
// for. Of any other error, as of errors.New, there is the type alone: give it a
// code with [Error], make it a Reason, or name it to [KnownErrors].
//
// A violation has a pointer and a keyword. In the pointer a name that is no
// short identifier is "*", as a caller may have chosen it.
//
// With a logger of [logging.New] or a handler of [logging.NewHandler] the keys stand
// at the top level, and every record written with the invocation's context has
// requestId, traceId and correlationId. Any other logger works, and loses that:
// its groups hold the keys too, its other records know nothing of the
// invocation, and nothing is redacted, sampled or kept back.
func Log(l *slog.Logger, opts ...LogOption) Middleware {
	if l == nil {
		panic("guard: Log with a nil logger")
	}
	layer := &logLayer{
		handler: l.Handler(),
		name:    lambdacontext.FunctionName,
		version: lambdacontext.FunctionVersion,
	}
	for _, opt := range opts {
		opt(layer)
	}
	return func(next lambda.Handler) lambda.Handler {
		l := &logged{logLayer: layer, next: next}
		n := order.New("guard.Log", l, next)
		l.warnings = n.Warnings()
		return n
	}
}

type logLayer struct {
	handler       slog.Handler
	name, version string
	correlate     func(context.Context, *Event) string
	payload       bool
	panics        bool
	texts         bool
	known         []error
}

type logged struct {
	*logLayer
	next     lambda.Handler
	warnings []string // about the order of the chain, for the first invocation
	warned   sync.Once
}

func (l *logged) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	start := time.Now()
	inv := invocation.Of(ctx)
	returned := false
	defer func() {
		if !returned { // a panic, on its way to whoever recovers it
			err = panicked(&PanicError{value: unseen{}, stack: debug.Stack()})
			if told := inv.Facts().Err; Panicked(told) { // a Goexit, which Recover has seen
				err = told
			}
		}
		l.record(ctx, inv, payload, start, out, err)
	}()
	l.warned.Do(func() { l.warn(ctx, inv) })
	if l.correlate != nil {
		inv.SetCorrelation(l.correlate(ctx, EventOf(ctx, payload)))
	}
	out, err = l.next.Invoke(ctx, payload)
	returned = true
	return out, err
}

// warn writes a record for each unwise order in the chain.
func (l *logged) warn(ctx context.Context, inv *invocation.Invocation) {
	warnings := inv.Warnings // those of layers outside of this one, too
	if warnings == nil {
		warnings = l.warnings
	}
	logger := slog.New(l.handler)
	for _, w := range warnings {
		logger.WarnContext(ctx, "guard: "+w)
	}
}
