package guard

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/order"
)

// LogOption changes [Log].
type LogOption struct{ set func(*logLayer) }

// Correlate adds a correlationId to every record of an invocation. find takes it
// from the event; package guard/jmespath has one that uses an expression. An id
// may come from a caller, so one that is longer than 128 bytes or not printable
// ASCII is ignored.
func Correlate(find func(ctx context.Context, ev *Event) string) LogOption {
	if find == nil {
		panic("guard: Correlate with a nil function")
	}
	return LogOption{func(l *logLayer) { l.correlate = find }}
}

// UnsafePayload adds the whole event to the record, as payload: with every
// password, token and address that callers send.
func UnsafePayload() LogOption {
	return LogOption{func(l *logLayer) { l.payload = true }}
}

// UnsafeErrorTexts makes error.cause the text of the error, up to 8 kB, and adds
// the value of a panic. Errors quote what they could not read, so passwords,
// tokens and addresses that callers send will be in the log. Use it where no real
// caller is: on a test stage.
func UnsafeErrorTexts() LogOption {
	return LogOption{func(l *logLayer) { l.texts = true }}
}

// KnownErrors shows the texts of errs in error.cause, wherever they are in a
// chain. It is for sentinels that are not a [Reason], like sql.ErrNoRows.
func KnownErrors(errs ...error) LogOption {
	return LogOption{func(l *logLayer) { l.known = append(l.known, errs...) }}
}

// Log writes exactly one record per invocation to l, also after a panic: at level
// INFO, WARN for a client's error, ERROR for the function's. List it first. With
// [Start] aws-lambda-go prints no line of its own beside it. The record has these
// keys, and leaves out those that are empty:
//
//	requestId functionName functionVersion coldStart traceId tenantId
//	trace_id span_id                of a tracing layer
//	trigger durationMs remainingMs
//	method route status             of an HTTP request
//	principal                       if a layer has authenticated the caller
//	error.kind .code .cause         of a failure, also one made a response
//	error.violations                of a refusal: the first ten places
//	error.stack                     of a panic
//
// It also has what [AddAttrs] added. An added key with one of these names is
// renamed to fields.status and so on. The record never has the payload, the answer
// or the value of a panic.
//
// error.cause has nothing that a caller sent, unless the program puts it into a
// code, a [Reason] or a LogValue, or an option allows it. It has the types of the
// errors in the chain, outermost first, with the operation, status, code and
// request id that they have a method or a field for:
//
//	*url.Error Post: *net.OpError dial tcp: *os.SyscallError connect: connection refused
//	*smithy.OperationError DynamoDB PutItem: *http.ResponseError status 400 request 7QKT: *types.ProvisionedThroughputExceededException
//
// The text of an error is shown if it is a constant: of a Reason, a LogValue, the
// Go runtime, the operating system, or a sentinel of the standard library. Of any
// other error, such as one of errors.New, only the type is shown. To see more, use
// an [Error] with a code, a Reason, or [KnownErrors].
//
// A violation has a pointer and a keyword. A name in the pointer that is not a
// short identifier is shown as "*", because a caller may have chosen it.
//
// Make l with package logging: its other records then have the ids of the
// invocation and are redacted. Any other logger works without that. If it has a
// group open, the keys stand in the group. Log panics if l is nil.
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
		opt.set(layer)
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
		if returned {
			l.record(ctx, inv, payload, start, out, err)
			return
		}
		value := recover() // nil in a Goexit, which goes on by itself
		out, err = nil, panicked(value)
		l.record(ctx, inv, payload, start, out, err)
		if value != nil {
			panic(value) // again, with the stack of the handler
		}
	}()
	l.warned.Do(func() { l.warn(ctx, inv) })
	inv.Update(func(f *invocation.Facts) {
		if f.LogError == nil {
			f.LogError = l.logError
		}
	})
	if l.correlate != nil {
		if id := l.correlate(ctx, EventOf(ctx, payload)); invocation.FitForHeader(id) {
			inv.Update(func(f *invocation.Facts) { f.Correlation = id })
		}
	}
	out, err = l.next.Invoke(ctx, payload)
	askFor(err)
	returned = true
	return out, err
}

// warn writes a record for each unwise order in the chain.
func (l *logged) warn(ctx context.Context, inv *invocation.Invocation) {
	warnings := inv.Warnings // of outer layers too
	if warnings == nil {
		warnings = l.warnings
	}
	logger := slog.New(l.handler)
	for _, w := range warnings {
		logger.WarnContext(ctx, "guard: "+w)
	}
}
