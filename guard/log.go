package guard

import (
	"context"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// LogOption changes [Log].
type LogOption func(*logLayer)

// Log writes exactly one record per invocation to l, whatever happens to it:
// at level INFO, WARN for a caller's fault, ERROR for ours. It belongs
// outermost. The record has the keys
//
//	requestId functionName functionVersion coldStart traceId tenantId
//	trigger durationMs remainingMs
//	method route status             of an HTTP request
//	error.kind .code .cause         of a failure, also one made a response
//	error.stack                     of a panic
//
// and what [AddAttrs] has added. Keys with nothing to say are left out. Never
// in it are the payload, the answer and the value of a panic; error.cause is
// the text of the handler's error.
//
// With a logger of [NewLogger] the keys stand at the top level, and every
// record written with the invocation's context has requestId and traceId. Any
// other logger works: its groups then hold the keys too, and its other records
// have no fields of the invocation.
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
			err = &Error{Kind: Internal, Code: "panic", Err: &panicError{value: unseen{}, stack: debug.Stack()}}
		}
		l.record(ctx, inv, payload, start, out, err)
	}()
	out, err = l.next.Invoke(ctx, payload)
	returned = true
	return out, err
}

func (l *logged) record(ctx context.Context, inv *invocation, payload []byte, start time.Time, out []byte, err error) {
	now := time.Now()
	ev := EventOf(ctx, payload)
	inv.mu.Lock()
	extra, route, told := inv.attrs, inv.route, inv.err
	inv.mu.Unlock()
	if told != nil && (err == nil || reported(err)) {
		err = told
	}
	status := 0
	trigger := ev.Trigger()
	if trigger.IsHTTP() {
		status = statusOf(out)
	}
	level := levelOf(err, status)
	if !l.handler.Enabled(ctx, level) {
		return
	}
	var room [24]slog.Attr
	attrs := inv.appendIdentity(room[:0])
	attrs = appendText(attrs, "functionName", l.name)
	attrs = appendText(attrs, "functionVersion", l.version)
	attrs = append(attrs, slog.Bool("coldStart", inv.cold))
	attrs = appendText(attrs, "tenantId", inv.lc.TenantID)
	attrs = append(attrs, slog.String("trigger", string(trigger)),
		slog.Float64("durationMs", milliseconds(now.Sub(start))))
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		attrs = append(attrs, slog.Float64("remainingMs", milliseconds(end.Sub(now))))
	}
	if trigger.IsHTTP() {
		attrs = appendHTTP(attrs, ev.raw, route, status)
	}
	if err != nil {
		attrs = append(attrs, errorAttr(err))
	}
	attrs = append(attrs, extra...)
	l.write(ctx, slog.NewRecord(now, level, "invocation", 0), attrs)
}

// write puts attrs at the top level where the handler lets us.
func (l *logLayer) write(ctx context.Context, r slog.Record, attrs []slog.Attr) {
	// A record that cannot be written must not fail the invocation.
	if own, ok := l.handler.(*logHandler); ok {
		_ = own.handle(ctx, r, attrs)
		return
	}
	r.AddAttrs(attrs...)
	_ = l.handler.Handle(context.WithValue(ctx, plainKey{}, true), r)
}

// appendIdentity appends what ties a record to its invocation.
func (inv *invocation) appendIdentity(to []slog.Attr) []slog.Attr {
	to = appendText(to, "requestId", inv.lc.AwsRequestID)
	return appendText(to, "traceId", TraceID(inv.Context))
}

// appendText appends a field unless it has nothing to say.
func appendText(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, value))
}

func appendHTTP(attrs []slog.Attr, raw []byte, route string, status int) []slog.Attr {
	var method, key string
	for name, value := range jsonpeek.Members(raw) {
		switch string(name) {
		case "routeKey":
			key = string(jsonpeek.Text(value))
		case "httpMethod":
			method = string(jsonpeek.Text(value))
		case "resource":
			key = string(jsonpeek.Text(value))
		case "requestContext":
			if m := jsonpeek.Lookup(value, "http", "method"); m != nil {
				method = string(jsonpeek.Text(m))
			}
		}
	}
	if route == "" {
		route = key
	}
	attrs = appendText(attrs, "method", method)
	attrs = appendText(attrs, "route", route)
	if status != 0 {
		attrs = append(attrs, slog.Int("status", status))
	}
	return attrs
}

// statusOf reads the status of an answer in proxy form. An answer without one
// is a 200 to the gateway.
func statusOf(out []byte) int {
	if out == nil {
		return 0
	}
	raw := jsonpeek.Lookup(out, "statusCode")
	if raw == nil {
		return 200
	}
	status, err := strconv.Atoi(string(raw))
	if err != nil {
		return 0
	}
	return status
}

func levelOf(err error, status int) slog.Level {
	switch {
	case status >= 500, err != nil && status == 0 && !KindOf(err).CallersFault():
		return slog.LevelError
	case status >= 400, err != nil:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func errorAttr(err error) slog.Attr {
	e := Public(err)
	attrs := []any{slog.String("kind", e.Kind.String()), slog.String("code", e.Code)}
	if cause := causeOf(err, e); cause != "" {
		attrs = append(attrs, slog.String("cause", cause))
	}
	if p, ok := panicOf(err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	return slog.Group("error", attrs...)
}

// causeOf is the text of what stands behind the public part of an error.
func causeOf(err error, e *Error) string {
	if err != error(e) {
		return err.Error() // foreign, or wrapped in words of the handler's
	}
	if e.Err != nil {
		return e.Err.Error()
	}
	return ""
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
