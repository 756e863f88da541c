package guard

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
)

// The levels that Lambda has and slog has no name for.
const (
	LevelTrace = slog.LevelDebug - 4
	LevelFatal = slog.LevelError + 4
)

// NewLogger makes a logger that writes a JSON object per line to w, as
// Lambda's log format has it: timestamp, level, message, and the requestId of
// the invocation that a record was written in. The invocation's fields stand at
// the top level, whatever groups the logger has open.
//
// AWS_LAMBDA_LOG_LEVEL sets the lowest level that is written, INFO when it is
// not set; AWS_LAMBDA_LOG_FORMAT=Text writes key=value pairs instead.
func NewLogger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: levelNamed(os.Getenv("AWS_LAMBDA_LOG_LEVEL")), ReplaceAttr: lambdaKeys}
	var inner slog.Handler
	if strings.EqualFold(os.Getenv("AWS_LAMBDA_LOG_FORMAT"), "text") {
		inner = slog.NewTextHandler(w, o)
	} else {
		inner = slog.NewJSONHandler(w, o)
	}
	return slog.New(&logHandler{inner: inner})
}

func levelNamed(name string) slog.Level {
	switch strings.ToUpper(name) {
	case "TRACE":
		return LevelTrace
	case "DEBUG":
		return slog.LevelDebug
	case "WARN":
		return slog.LevelWarn
	case "ERROR":
		return slog.LevelError
	case "FATAL":
		return LevelFatal
	default:
		return slog.LevelInfo
	}
}

// lambdaKeys gives slog's own attributes Lambda's names.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func lambdaKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "timestamp"
	case slog.MessageKey:
		a.Key = "message"
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			a.Value = slog.StringValue(levelName(level))
		}
	}
	return a
}

func levelName(level slog.Level) string {
	switch level {
	case LevelTrace:
		return "TRACE"
	case LevelFatal:
		return "FATAL"
	default:
		return level.String()
	}
}

// logHandler puts the fields of the invocation at the top of every record.
// slog's handlers cannot add to the top once a group is open, so groups are
// kept here and handed on with the record.
type logHandler struct {
	inner slog.Handler
	open  []group // outermost first
}

// group is an open group and the attributes given to the logger in it.
type group struct {
	name  string
	attrs []slog.Attr
}

// plainKey marks a context whose record has the invocation's fields already.
type plainKey struct{}

func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	if len(h.open) == 0 {
		return &logHandler{inner: h.inner.WithAttrs(attrs)}
	}
	open := slices.Clone(h.open)
	last := &open[len(open)-1]
	last.attrs = slices.Concat(last.attrs, attrs)
	return &logHandler{inner: h.inner, open: open}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &logHandler{inner: h.inner, open: append(slices.Clip(h.open), group{name: name})}
}

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	var fields [4]slog.Attr
	return h.handle(ctx, r, h.fields(ctx, fields[:0]))
}

func (h *logHandler) fields(ctx context.Context, to []slog.Attr) []slog.Attr {
	inv := invocationOf(ctx)
	if inv == nil || ctx.Value(plainKey{}) != nil {
		return to
	}
	return inv.appendIdentity(to)
}

// handle writes r with fields at the top level.
func (h *logHandler) handle(ctx context.Context, r slog.Record, fields []slog.Attr) error {
	// Lambda's timestamps are in UTC and to the millisecond.
	out := slog.NewRecord(r.Time.UTC().Truncate(time.Millisecond), r.Level, r.Message, r.PC)
	out.AddAttrs(fields...)
	if len(h.open) == 0 {
		r.Attrs(func(a slog.Attr) bool { out.AddAttrs(a); return true })
	} else {
		out.AddAttrs(h.nested(r))
	}
	return h.inner.Handle(ctx, out)
}

// nested puts r's attributes into the open groups, innermost first.
func (h *logHandler) nested(r slog.Record) slog.Attr {
	last := len(h.open) - 1
	attrs := slices.Clone(h.open[last].attrs)
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	a := slog.Attr{Key: h.open[last].name, Value: slog.GroupValue(attrs...)}
	for _, g := range slices.Backward(h.open[:last]) {
		a = slog.Attr{Key: g.name, Value: slog.GroupValue(append(slices.Clone(g.attrs), a)...)}
	}
	return a
}
