package guard

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// logHandler puts the fields of the invocation at the top of every record.
// slog's handlers cannot add to the top once a group is open, so groups are
// kept here and handed on with the record.
type logHandler struct {
	*logSettings
	inner slog.Handler
	given int     // bytes that inner was given to write with each record, about
	open  []group // outermost first
}

type logSettings struct {
	level   slog.Leveler
	service string
	redact  *redactor
	sample  float64
	buffer  int
}

// group is an open group and the attributes given to the logger in it.
type group struct {
	name  string
	attrs []slog.Attr // redacted
}

// plainKey marks a context whose record has the invocation's fields already.
type plainKey struct{}

// Enabled reports whether a record of this level is written, or kept.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	if !h.inner.Enabled(ctx, level) {
		return false
	}
	if level >= h.level.Level() {
		return true
	}
	if h.sample == 0 && h.buffer == 0 {
		return false
	}
	inv := invocationOf(ctx)
	return inv != nil && (h.buffer > 0 || inv.sampled(h.sample))
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	attrs = h.redact.attrs(attrs)
	if len(h.open) == 0 {
		given := h.given
		for i, a := range attrs {
			attrs[i] = h.aside(a)
			given += attrSize(a)
		}
		return &logHandler{logSettings: h.logSettings, inner: h.inner.WithAttrs(attrs), given: given}
	}
	open := slices.Clone(h.open)
	last := &open[len(open)-1]
	last.attrs = slices.Concat(last.attrs, attrs)
	return &logHandler{logSettings: h.logSettings, inner: h.inner, given: h.given, open: open}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	if len(h.open) == 0 {
		name = h.aside(slog.Attr{Key: name}).Key
	}
	return &logHandler{logSettings: h.logSettings, inner: h.inner, given: h.given, open: append(slices.Clip(h.open), group{name: name})}
}

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	var room [16]slog.Attr
	inv := invocationOf(ctx)
	if inv == nil {
		return h.inner.Handle(ctx, h.compose(r, room[:0], false))
	}
	if ctx.Value(plainKey{}) != nil { // Log's own, through a handler around this one
		fields := h.appendSampled(room[:0], inv)
		return h.emit(ctx, inv, h.compose(r, fields, true))
	}
	fields := h.appendFields(room[:0], inv)
	return h.emit(ctx, inv, h.compose(r, fields, false))
}

// emit writes a composed record, or keeps it. An error brings what was kept.
func (h *logHandler) emit(ctx context.Context, inv *invocation, r slog.Record) error {
	if r.Level < h.level.Level() && !inv.sampled(h.sample) {
		inv.kept.add(keptRecord{h.inner, r.Clone(), sizeOf(r) + h.given}, h.buffer)
		return nil
	}
	if r.Level >= slog.LevelError {
		h.flush(ctx, inv)
	}
	return h.inner.Handle(ctx, r)
}

// flush writes what was kept, and how many records were not.
func (h *logHandler) flush(ctx context.Context, inv *invocation) {
	records, dropped := inv.kept.take()
	if dropped > 0 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "debug records were dropped", 0)
		r.AddAttrs(slog.Int("dropped", dropped))
		bare := &logHandler{logSettings: h.logSettings, inner: h.inner}
		r = bare.compose(r, h.appendFields(nil, inv), false)
		_ = h.inner.Handle(ctx, r) // as with any record, a log that fails is not the handler's
	}
	for _, kept := range records {
		_ = kept.handler.Handle(ctx, kept.record)
	}
}

// appendFields appends what a record has of its invocation.
func (h *logHandler) appendFields(to []slog.Attr, inv *invocation) []slog.Attr {
	return h.appendSampled(inv.appendIdentity(to), inv)
}

func (h *logHandler) appendSampled(to []slog.Attr, inv *invocation) []slog.Attr {
	if h.sample > 0 && inv.sampled(h.sample) {
		to = append(to, slog.Bool("sampled", true))
	}
	return to
}

// compose makes the record that inner gets: fields at the top level, then r's
// attributes in the groups that are open. It may append to fields.
func (h *logHandler) compose(r slog.Record, fields []slog.Attr, plain bool) slog.Record {
	// Lambda's timestamps are in UTC and to the millisecond.
	out := slog.NewRecord(r.Time.UTC().Truncate(time.Millisecond), r.Level, r.Message, r.PC)
	if len(h.open) > 0 {
		out.AddAttrs(append(fields, h.nested(r))...)
		return out
	}
	r.Attrs(func(a slog.Attr) bool {
		a = h.redact.attr(a)
		if !plain {
			a = h.aside(a)
		}
		fields = append(fields, a)
		return true
	})
	out.AddAttrs(fields...)
	return out
}

// nested puts r's attributes into the open groups, innermost first.
func (h *logHandler) nested(r slog.Record) slog.Attr {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, h.redact.attr(a))
		return true
	})
	for _, g := range slices.Backward(h.open) {
		attrs = slices.Concat(g.attrs, attrs)
		if h.redact.hides(g.name) {
			attrs = []slog.Attr{slog.String(g.name, redacted)}
		} else {
			attrs = []slog.Attr{{Key: g.name, Value: slog.GroupValue(attrs...)}}
		}
	}
	return attrs[0]
}
