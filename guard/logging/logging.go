// Package logging returns a slog.Logger for Lambda functions: one JSON object per
// line in Lambda's format, with the ids of the invocation, and credentials redacted.
//
//	log := logging.New(os.Stdout)
//	guard.Start(guard.Func(placeOrder), guard.Default(log))
//
// Log with the context of the invocation, as in log.InfoContext(ctx, "placed"):
// such a record has requestId, traceId and correlationId, and the trace_id and
// span_id of a tracing layer.
package logging

import (
	"io"
	"log/slog"
	"os"
	"strings"
)

// The levels that Lambda has and slog has no name for.
const (
	LevelTrace = slog.LevelDebug - 4
	LevelFatal = slog.LevelError + 4
)

// Option changes [New] and [NewHandler].
type Option struct{ set func(*settings) }

// MinLevel sets the lowest level that is written. It may change over time, as
// an [slog.LevelVar] does. It replaces AWS_LAMBDA_LOG_LEVEL. MinLevel panics if
// level is nil.
func MinLevel(level slog.Leveler) Option {
	if level == nil {
		panic("logging: MinLevel of nil")
	}
	return Option{func(s *settings) { s.level = level }}
}

// Service adds the name of a service to every record.
func Service(name string) Option {
	return Option{func(s *settings) { s.service = name }}
}

// Redact hides the values of further attribute names, at any depth of groups,
// structs and maps. Case, dashes, underscores and spaces make no difference. The
// last part of a dotted name counts as well as the whole name. Redact panics if a
// name has no letter or digit, or more than 64.
//
// These are always hidden: password, passwd, passphrase, secret, token,
// authorization, cookie, credentials, API keys, client secrets and private keys. So
// are access, refresh, id, session and authorization tokens, and AWS's secret keys
// and session tokens.
func Redact(names ...string) Option {
	return Option{func(s *settings) { s.redact.add(names) }}
}

// SampleDebug writes every level for a share of the invocations, 0 to 1. One
// draw decides for the whole invocation, and its records have sampled=true.
// SampleDebug panics if share is outside of 0 to 1.
func SampleDebug(share float64) Option {
	if !(share >= 0 && share <= 1) { // NaN, too
		panic("logging: SampleDebug with a share that is not from 0 to 1")
	}
	return Option{func(s *settings) { s.sample = share }}
}

// BufferDebug keeps the records of an invocation that are below the lowest
// level. It writes them when the invocation writes an ERROR or ends with one. It
// keeps 20 kB for each invocation. The oldest records are dropped first, and a
// record reports how many were.
func BufferDebug() Option {
	return Option{func(s *settings) { s.buffer = 20_000 }}
}

// New returns a logger that writes a JSON object per line to w, in Lambda's
// format: timestamp, level, message, and the fields of the invocation that the
// record belongs to. Those stand at the top level, also inside WithGroup. An
// attribute at the top level that is named like one of them is renamed to
// fields.requestId and so on.
//
// AWS_LAMBDA_LOG_LEVEL sets the lowest level that is written; it is INFO if that
// is not set. AWS_LAMBDA_LOG_FORMAT=Text writes key=value pairs instead.
func New(w io.Writer, opts ...Option) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(-1 << 10)} // our handler decides
	if strings.EqualFold(os.Getenv("AWS_LAMBDA_LOG_FORMAT"), "text") {
		options.ReplaceAttr = lambdaKeys
		return slog.New(NewHandler(slog.NewTextHandler(w, options), opts...))
	}
	return slog.New(NewHandler(slog.NewJSONHandler(&lambdaWriter{to: w}, options), opts...))
}

// NewHandler returns a handler that wraps inner. As [New], it adds the fields of
// the invocation at the top level, redacts, and applies levels, sampling and
// buffering. Time, level and message are named by inner, and a level that inner
// does not write is lost. A struct or a map reaches inner as an
// [encoding/json.RawMessage], the text that slog's JSON handler would write.
// NewHandler panics if inner is nil.
func NewHandler(inner slog.Handler, opts ...Option) slog.Handler {
	if inner == nil {
		panic("logging: NewHandler with a nil handler")
	}
	s := &settings{level: levelNamed(os.Getenv("AWS_LAMBDA_LOG_LEVEL")), redact: newRedactor()}
	for _, opt := range opts {
		opt.set(s)
	}
	if s.service != "" {
		inner = inner.WithAttrs([]slog.Attr{slog.String("service", s.service)})
	}
	return &handler{settings: s, inner: inner}
}

// levelNamed returns the level of a name that Lambda has, INFO for any other.
func levelNamed(name string) slog.Level {
	switch name = strings.ToUpper(name); name {
	case "TRACE":
		return LevelTrace
	case "FATAL":
		return LevelFatal
	}
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(name)) // it stays for any other name
	return level
}
