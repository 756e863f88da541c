package guard

import (
	"log/slog"
	"slices"
)

// asidePrefix goes before the name of an attribute that is a key of the log's
// own, so that no such key is in a record twice.
const asidePrefix = "fields."

// aside renames a top-level attribute that would repeat a key of each record.
func (s *logSettings) aside(a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, "timestamp", slog.LevelKey, slog.MessageKey, "message", "requestId", "traceId", "correlationId":
		a.Key = asidePrefix + a.Key
	case "service":
		if s.service != "" {
			a.Key = asidePrefix + a.Key
		}
	case "sampled":
		if s.sample > 0 {
			a.Key = asidePrefix + a.Key
		}
	case "": // a group whose members stand in its place
		if a.Value.Kind() == slog.KindGroup {
			inline := slices.Clone(a.Value.Group())
			for i, member := range inline {
				inline[i] = s.aside(member)
			}
			a.Value = slog.GroupValue(inline...)
		}
	}
	return a
}

// appendAdded appends what [AddAttrs] has collected, and aside what is named
// like a key of the record.
func (s *logSettings) appendAdded(to, added []slog.Attr) []slog.Attr {
	for _, a := range added {
		switch a.Key {
		case "functionName", "functionVersion", "coldStart", "tenantId", "trigger", "durationMs", "remainingMs",
			"method", "route", "status", "principal", "error", "payload":
			a.Key = asidePrefix + a.Key
		}
		to = append(to, s.aside(a))
	}
	return to
}
