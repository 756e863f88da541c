package guard

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

// LoggerOption changes [NewLogger] and [NewLogHandler].
type LoggerOption func(*loggerOptions)

type loggerOptions struct {
	level   slog.Leveler
	service string
	names   []string
	sample  float64
	buffer  int // bytes; 0 keeps nothing
}

// MinLevel sets the lowest level that is written. It may change over time, as
// an [slog.LevelVar] does, and goes before AWS_LAMBDA_LOG_LEVEL.
func MinLevel(level slog.Leveler) LoggerOption {
	if level == nil {
		panic("guard: MinLevel of nil")
	}
	return func(o *loggerOptions) { o.level = level }
}

// Service adds the name of a service to every record.
func Service(name string) LoggerOption {
	return func(o *loggerOptions) { o.service = name }
}

// Redact hides the values of further attribute names, at any depth of groups,
// structs and maps. Case, dashes and underscores make no difference, and of a
// dotted name the last part counts as well as the whole. Hidden without being
// asked are password, passwd, passphrase, secret, token,
// authorization, cookie, credentials, API keys, client secrets, private keys,
// access, refresh, id, session and authorization tokens, and the secrets of AWS's
// own credentials.
func Redact(names ...string) LoggerOption {
	return func(o *loggerOptions) { o.names = append(o.names, names...) }
}

// SampleDebug lets a share of the invocations, 0 to 1, write every level. It is
// decided once per invocation, whose records then have sampled=true.
func SampleDebug(share float64) LoggerOption {
	if !(share >= 0 && share <= 1) { // NaN, too
		panic("guard: SampleDebug with a share that is not from 0 to 1")
	}
	return func(o *loggerOptions) { o.sample = share }
}

// BufferDebug keeps the records of an invocation that are below the level to
// be written, and writes them when the invocation writes an ERROR or ends with
// one. 20 kB are kept for each invocation; the oldest go first, and a record
// tells how many did.
func BufferDebug() LoggerOption {
	return func(o *loggerOptions) { o.buffer = 20_000 }
}

// NewLogger makes a logger that writes a JSON object per line to w, as
// Lambda's log format has it: timestamp, level, message, and the fields of the
// invocation that a record was written in. They stand at the top level,
// whatever groups the logger has open. An attribute at the top level that is
// named like one of them becomes fields.requestId and so on, so that no key of
// the log's own is there twice.
//
// AWS_LAMBDA_LOG_LEVEL sets the lowest level that is written, INFO when it is
// not set; AWS_LAMBDA_LOG_FORMAT=Text writes key=value pairs instead.
func NewLogger(w io.Writer, opts ...LoggerOption) *slog.Logger {
	lowest := slog.Level(-1 << 10) // NewLogHandler decides
	var inner slog.Handler
	if strings.EqualFold(os.Getenv("AWS_LAMBDA_LOG_FORMAT"), "text") {
		inner = slog.NewTextHandler(w, &slog.HandlerOptions{Level: lowest, ReplaceAttr: lambdaKeys})
	} else {
		inner = slog.NewJSONHandler(&lambdaWriter{to: w}, &slog.HandlerOptions{Level: lowest})
	}
	return slog.New(NewLogHandler(inner, opts...))
}

// NewLogHandler puts before a handler of any kind what [NewLogger] has before
// its own: the fields of the invocation at the top level of every record,
// redaction, levels, sampling and buffering. The names of time, level and
// message are inner's; a level that inner does not write is lost. A value that
// slog has no kind for, a struct or a map, reaches inner as the text that slog's
// JSON handler would make of it, an [encoding/json.RawMessage].
func NewLogHandler(inner slog.Handler, opts ...LoggerOption) slog.Handler {
	if inner == nil {
		panic("guard: NewLogHandler with a nil handler")
	}
	o := loggerOptions{level: levelNamed(os.Getenv("AWS_LAMBDA_LOG_LEVEL")), names: alwaysRedacted()}
	for _, opt := range opts {
		opt(&o)
	}
	h := &logHandler{inner: inner, logSettings: &logSettings{
		level: o.level, service: o.service, redact: newRedactor(o.names), sample: o.sample, buffer: o.buffer,
	}}
	if o.service != "" {
		h.inner = inner.WithAttrs([]slog.Attr{slog.String("service", o.service)})
	}
	return h
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
