package logging

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// handler puts the fields of the invocation at the top of every record. slog's
// handlers cannot add to the top once a group is open, so groups are kept here
// and passed on with the record.
type handler struct {
	*settings
	inner slog.Handler
	size  int     // about as many bytes as inner adds to each record
	open  []group // outermost first
}

type settings struct {
	level   slog.Leveler
	service string
	redact  *redactor
	sample  float64
	buffer  int // bytes for the records of an invocation; 0 keeps none
}

// group is an open group with the attributes of the logger in it.
type group struct {
	name  string
	attrs []slog.Attr // redacted
}

// Enabled reports whether a record of this level is written, or kept.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	if !h.inner.Enabled(ctx, level) {
		return false
	}
	if level >= h.level.Level() {
		return true
	}
	inv := invocation.Of(ctx)
	return inv != nil && (h.buffer > 0 || h.sampled(inv))
}

// sampled reports whether the invocation is one that writes all levels.
func (s *settings) sampled(inv *invocation.Invocation) bool { return inv.Chance < s.sample }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	attrs = h.redact.attrs(attrs)
	with := *h
	if len(h.open) > 0 {
		with.open = slices.Clone(h.open)
		last := &with.open[len(with.open)-1]
		last.attrs = slices.Concat(last.attrs, attrs)
		return &with
	}
	for i, a := range attrs {
		attrs[i] = h.renameReserved(a)
		with.size += attrSize(a)
	}
	with.inner = h.inner.WithAttrs(attrs)
	return &with
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	if len(h.open) == 0 {
		name = h.renameReserved(slog.Attr{Key: name}).Key
	}
	with := *h
	with.open = append(slices.Clip(h.open), group{name: name})
	return &with
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	var room [24]slog.Attr
	inv := invocation.Of(ctx)
	if inv == nil {
		return h.inner.Handle(ctx, h.compose(r, room[:0]))
	}
	if !invocation.IsWholeRecord(ctx) {
		return h.emit(ctx, inv, h.compose(r, h.appendFields(room[:0], inv)))
	}
	// The record of guard.Log stays at the top level, also inside WithGroup.
	fields := h.appendSampled(room[:0], inv)
	r.Attrs(func(a slog.Attr) bool {
		fields = append(fields, h.renameOwn(h.redact.attr(a)))
		return true
	})
	return h.emit(ctx, inv, h.compose(slog.NewRecord(r.Time, r.Level, r.Message, r.PC), fields))
}

// errKept is for guard.Log, whose record may never be written. slog ignores it.
var errKept = reason.New("logging: the record is kept, and not written yet")

// emit writes a composed record, or keeps it. An error writes what was kept.
func (h *handler) emit(ctx context.Context, inv *invocation.Invocation, r slog.Record) error {
	if r.Level < h.level.Level() && !h.sampled(inv) {
		bufferOf(inv).add(keptRecord{h.inner, r.Clone(), h.size + recordSize(r)}, h.buffer)
		return errKept
	}
	if r.Level >= slog.LevelError {
		h.flush(ctx, inv)
	}
	return h.inner.Handle(ctx, r)
}

// flush writes what was kept, and how many records were dropped. As with any
// record, a log that fails must not fail the function.
func (h *handler) flush(ctx context.Context, inv *invocation.Invocation) {
	records, dropped := bufferOf(inv).take()
	if dropped > 0 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "debug records were dropped", 0)
		r.AddAttrs(slog.Int("dropped", dropped))
		bare := &handler{settings: h.settings, inner: h.inner}
		_ = h.inner.Handle(ctx, bare.compose(r, h.appendFields(nil, inv)))
	}
	for _, kept := range records {
		_ = kept.handler.Handle(ctx, kept.record)
	}
}

// appendFields appends the fields that each record of an invocation has.
func (h *handler) appendFields(to []slog.Attr, inv *invocation.Invocation) []slog.Attr {
	return h.appendSampled(inv.AppendIdentity(to), inv)
}

func (h *handler) appendSampled(to []slog.Attr, inv *invocation.Invocation) []slog.Attr {
	if h.sampled(inv) {
		to = append(to, slog.Bool("sampled", true))
	}
	return to
}

// compose returns the record that inner gets: fields at the top level, then the
// attributes of r in the groups that are open. It may append to fields.
func (h *handler) compose(r slog.Record, fields []slog.Attr) slog.Record {
	// Lambda's timestamps are in UTC and to the millisecond.
	out := slog.NewRecord(r.Time.UTC().Truncate(time.Millisecond), r.Level, r.Message, r.PC)
	if len(h.open) > 0 {
		out.AddAttrs(append(fields, h.nested(r))...)
		return out
	}
	r.Attrs(func(a slog.Attr) bool {
		fields = append(fields, h.renameReserved(h.redact.attr(a)))
		return true
	})
	out.AddAttrs(fields...)
	return out
}

// nested puts the attributes of r into the open groups, innermost first.
func (h *handler) nested(r slog.Record) slog.Attr {
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

// renameReserved renames a top-level attribute that would repeat a key of each
// record.
func (s *settings) renameReserved(a slog.Attr) slog.Attr {
	if a.Key == "" && a.Value.Kind() == slog.KindGroup { // its members stand in its place
		members := slices.Clone(a.Value.Group())
		for i, member := range members {
			members[i] = s.renameReserved(member)
		}
		a.Value = slog.GroupValue(members...)
	}
	if invocation.Reserved(a.Key) {
		a.Key = invocation.Renamed(a.Key)
	}
	return s.renameOwn(a)
}

// renameOwn renames an attribute that would repeat a key that an option adds.
func (s *settings) renameOwn(a slog.Attr) slog.Attr {
	if a.Key == "service" && s.service != "" || a.Key == "sampled" && s.sample > 0 {
		a.Key = invocation.Renamed(a.Key)
	}
	return a
}
