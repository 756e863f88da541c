package guard

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
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

// Log writes exactly one record per invocation to l, whatever happens to it:
// at level INFO, WARN for a caller's fault, ERROR for ours. It belongs
// outermost. The record has the keys
//
//	requestId functionName functionVersion coldStart traceId tenantId
//	trigger durationMs remainingMs
//	method route status             of an HTTP request
//	principal                       where a layer has found out who calls
//	error.kind .code .cause         of a failure, also one made a response
//	error.stack                     of a panic
//
// and what [AddAttrs] has added, of which a key named like one of these becomes
// fields.status and so on. Keys with nothing to say are left out. Never in it
// are the payload, the answer and the value of a panic. error.cause is the text
// of the handler's error, its first 8 kB; values of four bytes and more that a
// caller had in the body, query, cookies or headers are taken out of it, and what
// is quoted of one beside it, as errors like to quote what they could not read.
// Where the event cannot be read, all of the text is. Records of a queue, a
// stream or a notification stay.
//
// With a logger of [NewLogger] or a handler of [NewLogHandler] the keys stand
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
		return &logged{logLayer: layer, next: next}
	}
}

type logLayer struct {
	handler       slog.Handler
	name, version string
	correlate     func(context.Context, *Event) string
	payload       bool
	panics        bool
}

type logged struct {
	*logLayer
	next lambda.Handler
	warm atomic.Bool
}

func (l *logged) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	start := time.Now()
	ctx, inv := enter(ctx, payload, &l.warm)
	returned := false
	defer func() {
		if !returned { // a panic, on its way to whoever recovers it
			err = panicked(&PanicError{value: unseen{}, stack: debug.Stack()})
			if told := inv.told(); Panicked(told) { // a Goexit, which Recover has seen
				err = told
			}
		}
		l.record(ctx, inv, payload, start, out, err)
	}()
	if l.correlate != nil {
		inv.setCorrelation(l.correlate(ctx, EventOf(ctx, payload)))
	}
	out, err = l.next.Invoke(ctx, payload)
	returned = true
	return out, err
}

// setCorrelation takes an id that is fit for a log and for a header.
func (inv *invocation) setCorrelation(id string) {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(id) <= 128 && strings.IndexFunc(id, unfit) < 0 {
		inv.mu.Lock()
		inv.correlation = id
		inv.mu.Unlock()
	}
}

// CorrelationID is the id that [Correlate] found for the invocation of ctx, for
// what the function calls in turn; "" when there is none.
func CorrelationID(ctx context.Context) string {
	inv := invocationOf(ctx)
	if inv == nil {
		return ""
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.correlation
}
