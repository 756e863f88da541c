package guard

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/outcome"
)

// record writes the one record of an invocation.
func (l *logLayer) record(ctx context.Context, inv *invocation.Invocation, payload []byte, start time.Time, out []byte, err error) {
	now := time.Now()
	facts := inv.Facts()
	o := outcome.Of(facts, EventOf(ctx, payload).peek(), out, err)
	level := levelOf(o.Err, o.Status)
	if !l.handler.Enabled(ctx, level) {
		return
	}
	var room [25]slog.Attr
	attrs := inv.AppendIdentity(room[:0])
	attrs = invocation.AppendText(attrs, "functionName", l.name)
	attrs = invocation.AppendText(attrs, "functionVersion", l.version)
	attrs = append(attrs, slog.Bool("coldStart", inv.Cold))
	attrs = invocation.AppendText(attrs, "tenantId", inv.Lambda.TenantID)
	attrs = append(attrs, slog.String("trigger", string(o.Trigger)), slog.Float64("durationMs", milliseconds(now.Sub(start))))
	if end, ok := ctx.Deadline(); ok && end.UnixMilli() > 0 {
		attrs = append(attrs, slog.Float64("remainingMs", milliseconds(end.Sub(now))))
	}
	attrs = invocation.AppendText(attrs, "method", o.Method)
	attrs = invocation.AppendText(attrs, "route", o.Route)
	if o.Status != 0 {
		attrs = append(attrs, slog.Int("status", o.Status))
	}
	attrs = invocation.AppendText(attrs, "principal", facts.Principal)
	if o.Err != nil {
		attrs = append(attrs, l.errorAttr(o.Err))
	}
	if l.payload {
		attrs = append(attrs, slog.String("payload", string(payload)))
	}
	for _, a := range facts.Attrs {
		attrs = append(attrs, l.added(a))
	}
	r := slog.NewRecord(now, level, "invocation", 0)
	r.AddAttrs(attrs...)
	// A record that cannot be written must not fail the invocation.
	if l.handler.Handle(invocation.WithWholeRecord(ctx), r) == nil {
		inv.Update(func(f *invocation.Facts) { f.Recorded = err })
	}
}

// logError writes a record about an error that does not leave the chain. Of two
// attributes with one key, that of the layer counts.
func (l *logLayer) logError(ctx context.Context, message string, err error, attrs []slog.Attr) {
	inv, level := invocation.Of(ctx), levelOf(err, 0)
	if !l.handler.Enabled(ctx, level) {
		return
	}
	added := slices.DeleteFunc(slices.Clone(inv.Facts().Attrs), func(a slog.Attr) bool {
		return slices.ContainsFunc(attrs, func(own slog.Attr) bool { return own.Key == a.Key })
	})
	all := inv.AppendIdentity(nil)
	for _, a := range slices.Concat(attrs, added) {
		all = append(all, l.added(a))
	}
	r := slog.NewRecord(time.Now(), level, message, 0)
	r.AddAttrs(append(all, l.errorAttr(err))...)
	_ = l.handler.Handle(invocation.WithWholeRecord(ctx), r)
}

// added returns an attribute of [AddAttrs] as the record has it, renamed if its
// key is one of the record's own.
func (l *logLayer) added(a slog.Attr) slog.Attr {
	if invocation.Reserved(a.Key) || isRecordKey(a.Key) {
		a.Key = invocation.Renamed(a.Key)
	}
	a.Value = l.described(a.Value)
	return a
}

// described returns a value in which each error is as Log describes one.
func (l *logLayer) described(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindAny, slog.KindLogValuer:
		if err, ok := v.Any().(error); ok {
			return slog.StringValue(l.causeOf(err))
		}
		if v.Kind() == slog.KindLogValuer {
			return l.described(v.Resolve())
		}
	case slog.KindGroup:
		members := slices.Clone(v.Group())
		for i, a := range members {
			members[i].Value = l.described(a.Value)
		}
		return slog.GroupValue(members...)
	}
	return v
}

func isRecordKey(key string) bool {
	switch key {
	case "functionName", "functionVersion", "coldStart", "tenantId", "trigger", "durationMs", "remainingMs",
		"method", "route", "status", "principal", "error", "payload":
		return true
	default:
		return false
	}
}

func levelOf(err error, status int) slog.Level {
	switch {
	case status >= 500, err != nil && status == 0 && !KindOf(err).IsClientError():
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
	p, cause := panicOf(err), l.causeOf(err)
	if p != nil && p.value != nil && l.texts {
		cause = outcome.Shortened(fmt.Sprintf("%s: %v", cause, p.value))
	}
	attrs = invocation.AppendText(attrs, "cause", cause)
	if p != nil {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	return slog.Attr{Key: "error", Value: slog.GroupValue(attrs...)}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
