package logging

import (
	"bytes"
	"io"
	"log/slog"
)

// lambdaWriter puts Lambda's names and levels into what slog's JSON handler
// writes: {"time":…,"level":…,"msg":… becomes {"timestamp":…,"level":…,"message":….
// A ReplaceAttr would be called for every attribute of every record, which makes
// a record half as slow again.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
type lambdaWriter struct {
	to   io.Writer
	line []byte // reused; slog calls Write for one record at a time
}

// longestLineKept bounds the memory that one long record leaves behind.
const longestLineKept = 64 << 10

// Write writes one record of slog's JSON handler.
func (w *lambdaWriter) Write(record []byte) (int, error) {
	line, rest := append(w.line[:0], '{'), record[1:]
	if at, ok := bytes.CutPrefix(rest, []byte(`"time":"`)); ok {
		end := bytes.IndexByte(at, '"')
		line = append(appendTimestamp(append(line, `"timestamp":"`...), at[:end]), `",`...)
		rest = at[end+len(`",`):]
	}
	if at, ok := bytes.CutPrefix(rest, []byte(`"level":"`)); ok {
		end := bytes.IndexByte(at, '"')
		line = append(append(line, `"level":"`...), lambdaLevel(string(at[:end]))...)
		rest = at[end:]
	}
	if at, ok := bytes.CutPrefix(rest, []byte(`","msg":`)); ok {
		line = append(line, `","message":`...)
		rest = at
	}
	line = append(line, rest...)
	if cap(line) <= longestLineKept {
		w.line = line
	}
	if _, err := w.to.Write(line); err != nil {
		return 0, err
	}
	return len(record), nil
}

// appendTimestamp appends a time in UTC with three digits after the second, so
// that timestamps sort as texts. slog's handler drops zeros at the end.
func appendTimestamp(to, t []byte) []byte {
	second, digits, _ := bytes.Cut(bytes.TrimSuffix(t, []byte{'Z'}), []byte{'.'})
	to = append(append(to, second...), '.')
	to = append(to, digits...)
	return append(append(to, "000"[min(len(digits), 3):]...), 'Z')
}

// lambdaLevel names the levels that slog has no names for.
func lambdaLevel(name string) string {
	switch name {
	case "DEBUG-4":
		return "TRACE"
	case "ERROR+4":
		return "FATAL"
	default:
		return name
	}
}

// lambdaKeys does for the text format what lambdaWriter does for JSON.
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
			a.Value = slog.StringValue(lambdaLevel(level.String()))
		}
	}
	return a
}
