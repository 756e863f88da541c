package guard

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// record writes the one record of an invocation.
func (l *logLayer) record(ctx context.Context, inv *invocation, payload []byte, start time.Time, out []byte, err error) {
	now := time.Now()
	ev := EventOf(ctx, payload)
	inv.mu.Lock()
	added, route, principal, told := inv.attrs, inv.route, inv.principal, inv.err
	inv.mu.Unlock()
	failed := err != nil
	if told != nil && (err == nil || reported(err)) {
		err = told
	}
	trigger := ev.Trigger()
	status := 0
	if trigger.IsHTTP() && !failed { // beside an error there is no answer
		status = inv.statusOf(ev, out)
	}
	level := levelOf(err, status)
	if !l.handler.Enabled(ctx, level) {
		return
	}
	var room [25]slog.Attr
	attrs := room[:0]
	own, ours := l.handler.(*logHandler)
	settings := &logSettings{}
	if ours {
		settings = own.logSettings
		attrs = own.appendFields(attrs, inv)
	} else {
		attrs = inv.appendIdentity(attrs)
	}
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
		attrs = appendHTTP(attrs, ev, route, status)
	} else {
		attrs = appendText(attrs, "route", route)
	}
	attrs = appendText(attrs, "principal", principal)
	if err != nil {
		attrs = append(attrs, l.errorAttr(err))
	}
	if l.payload {
		attrs = append(attrs, slog.String("payload", string(payload)))
	}
	from := len(attrs)
	attrs = settings.appendAdded(attrs, added)
	for i, a := range attrs[from:] { // of an error a record says what Log says of one
		if k := a.Value.Kind(); k != slog.KindAny && k != slog.KindLogValuer {
			continue
		}
		if err, ok := a.Value.Any().(error); ok {
			attrs[from+i].Value = slog.StringValue(l.causeOf(err))
		}
	}
	r := slog.NewRecord(now, level, "invocation", 0)

	// A record that cannot be written must not fail the invocation.
	if ours {
		for i, a := range attrs {
			attrs[i] = own.redact.attr(a)
		}
		_ = own.emit(ctx, inv, own.compose(r, attrs, true))
		return
	}
	r.AddAttrs(attrs...)
	_ = l.handler.Handle(context.WithValue(ctx, plainKey{}, true), r)
}

// appendIdentity appends what ties a record to its invocation.
func (inv *invocation) appendIdentity(to []slog.Attr) []slog.Attr {
	to = appendText(to, "requestId", inv.lc.AwsRequestID)
	to = appendText(to, "traceId", TraceID(inv.Context))
	return appendText(to, "correlationId", CorrelationID(inv))
}

// appendText appends a field unless it has nothing to say.
func appendText(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, value))
}

func appendHTTP(attrs []slog.Attr, ev *Event, route string, status int) []slog.Attr {
	method, key := ev.methodAndRoute()
	if route == "" {
		route = key
	}
	attrs = appendText(attrs, "method", shortened(method)) // who forges an event may fill it
	attrs = appendText(attrs, "route", shortened(route))
	if status != 0 {
		attrs = append(attrs, slog.Int("status", status))
	}
	return attrs
}

// methodAndRoute returns what can be seen of them, also in an event that was
// refused.
func (e *Event) methodAndRoute() (method, route string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.walk()
	return r.Method(), r.RouteKey()
}

// statusOf returns the status of an answer to an event, 0 where there is none.
func (inv *invocation) statusOf(ev *Event, out []byte) int {
	if out == nil {
		return 0
	}
	inv.mu.Lock()
	answered, status := inv.answered, inv.status
	inv.mu.Unlock()
	if answered != nil && same(answered, out) {
		return status
	}
	ev.mu.Lock()
	form := answer.FormOf(ev.walk())
	ev.mu.Unlock()
	status, _ = answer.Status(out, form)
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

func (l *logLayer) errorAttr(err error) slog.Attr {
	e := Public(err)
	attrs := []slog.Attr{slog.String("kind", e.Kind.String()), slog.String("code", e.Code)}
	attrs = appendViolations(attrs, e.Violations)
	p, panicked := panicOf(err)
	cause := l.causeOf(err)
	if panicked && l.panics && p.Value() != nil {
		cause = fmt.Sprintf("%s: %v", cause, p.Value())
	}
	attrs = appendText(attrs, "cause", cause)
	if panicked {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	return slog.Attr{Key: "error", Value: slog.GroupValue(attrs...)}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
