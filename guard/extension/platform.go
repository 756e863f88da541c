package extension

import (
	"bytes"
	"encoding/json"
	"time"
)

// Platform returns a record of Lambda's own as one of the types InitStart,
// InitRuntimeDone, InitReport, RestoreStart, RestoreRuntimeDone, RestoreReport, Start,
// RuntimeDone, Report, State, Subscription and LogsDropped:
//
//	switch p := record.Platform().(type) {
//	case extension.Report:
//		billed += p.Metrics.BilledDurationMs
//	case extension.LogsDropped:
//		lost += p.DroppedRecords
//	}
//
// It returns nil for a line of a log, and for a type that it does not know, as those of
// the older Logs API: Raw has all there is. A member that is missing or of another JSON type is zero. The members
// are those of schema 2025-01-29:
//
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func (r Record) Platform() any {
	switch r.Type {
	case "platform.initStart":
		return as[InitStart](r.Raw)
	case "platform.initRuntimeDone":
		return as[InitRuntimeDone](r.Raw)
	case "platform.initReport":
		return as[InitReport](r.Raw)
	case "platform.restoreStart":
		return as[RestoreStart](r.Raw)
	case "platform.restoreRuntimeDone":
		return as[RestoreRuntimeDone](r.Raw)
	case "platform.restoreReport":
		return as[RestoreReport](r.Raw)
	case "platform.start":
		return as[Start](r.Raw)
	case "platform.runtimeDone":
		return as[RuntimeDone](r.Raw)
	case "platform.report":
		return as[Report](r.Raw)
	case "platform.extension":
		return as[State](r.Raw)
	case "platform.telemetrySubscription":
		return as[Subscription](r.Raw)
	case "platform.logsDropped":
		return as[LogsDropped](r.Raw)
	default:
		return nil
	}
}

// as decodes an object. encoding/json goes on after a member of another type.
func as[T any](raw json.RawMessage) any {
	var v T
	if !bytes.HasPrefix(raw, []byte("{")) {
		return nil
	}
	_ = json.Unmarshal(raw, &v)
	return v
}

// InitStart is platform.initStart, the start of the init.
type InitStart struct {
	InitializationType string // "on-demand", "provisioned-concurrency", "snap-start" or "lambda-managed-instances"
	Phase              string // "init", "invoke" for an init that is repeated, or "snap-start"
	Environment
}

// RestoreStart is platform.restoreStart, the start of a restore from a snapshot.
type RestoreStart struct{ Environment }

// Environment is the execution environment that a record is about.
type Environment struct {
	FunctionName      string
	FunctionVersion   string
	InstanceID        string
	InstanceMaxMemory int64 // in bytes, as environments send it; the example of AWS's document has 256
	RuntimeVersion    string
	RuntimeVersionARN string
}

// Result is how a phase ended.
type Result struct {
	Status    string // "success", "failure", "error" or "timeout"
	ErrorType string // "" after a success
	Spans     []Span
}

// Span is a part of a phase: "responseLatency", "responseDuration", "runtimeOverhead"
// or "extensionOverhead".
type Span struct {
	Name       string
	Start      time.Time // zero if it cannot be read
	DurationMs float64
}

// UnmarshalJSON decodes a span. A start that is no time of RFC 3339, as in some of
// AWS's examples, is zero. The error is nil for any JSON.
func (s *Span) UnmarshalJSON(data []byte) error {
	var sent struct {
		Name, Start string
		DurationMs  float64
	}
	_ = json.Unmarshal(data, &sent) // an error here would end the decoding of the record
	s.Name, s.DurationMs = sent.Name, sent.DurationMs
	s.Start, _ = time.Parse(time.RFC3339, sent.Start)
	return nil
}

// Tracing is the tracing header of an invocation.
type Tracing struct {
	SpanID string
	Type   string // "X-Amzn-Trace-Id"
	Value  string
}

// InitRuntimeDone is platform.initRuntimeDone: the runtime has initialised.
type InitRuntimeDone struct {
	InitializationType string
	Phase              string
	Result
}

// InitReport is platform.initReport.
type InitReport struct {
	InitializationType string
	Phase              string
	Result
	Metrics struct{ DurationMs float64 }
}

// RestoreRuntimeDone is platform.restoreRuntimeDone: the runtime has run its hooks.
type RestoreRuntimeDone struct{ Result }

// RestoreReport is platform.restoreReport.
type RestoreReport struct {
	Result
	Metrics struct{ DurationMs float64 }
}

// Start is platform.start, the start of an invocation.
type Start struct {
	RequestID string
	Version   string
	Tracing   Tracing
}

// RuntimeDone is platform.runtimeDone: the function has answered or failed. Managed
// instances do not send it.
type RuntimeDone struct {
	RequestID string
	Result
	Metrics struct {
		DurationMs    float64
		ProducedBytes int64
	}
	Tracing Tracing
}

// Report is platform.report, the end of an invocation and of its extensions' work. Of
// the metrics managed instances send DurationMs alone.
type Report struct {
	RequestID string
	Result
	Metrics struct {
		DurationMs        float64
		BilledDurationMs  float64
		InitDurationMs    float64 // of a cold start
		RestoreDurationMs float64 // of a restore
		MemorySizeMB      int64
		MaxMemoryUsedMB   int64
	}
	Tracing Tracing
}

// State is platform.extension: an extension has registered.
type State struct {
	Name   string
	State  string // "Ready", or a failure
	Events []string
}

// Subscription is platform.telemetrySubscription.
type Subscription struct {
	Name  string
	State string // "Subscribed", or a failure
	Types []string
}

// LogsDropped is platform.logsDropped: Lambda has dropped records, because they were
// not taken as fast as they were made.
type LogsDropped struct {
	Reason         string
	DroppedRecords int64
	DroppedBytes   int64
}
