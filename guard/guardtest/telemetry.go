package guardtest

import (
	"math"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

// The methods below publish the records of the platform, as in
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
// The caller holds from.mu.

type fields map[string]any

func (e *environment) initType() string {
	if e.managed() {
		return "lambda-managed-instances"
	}
	return "on-demand"
}

func (e *environment) publishInitStart() {
	e.stream.Publish("platform.initStart", fields{
		"initializationType": e.initType(),
		"phase":              "init",
		"functionName":       e.cfg.Name,
		"functionVersion":    e.cfg.Version,
		"instanceId":         e.logStream,
		"instanceMaxMemory":  e.cfg.Memory << 20,
	})
}

func (e *environment) publishInitDone(failure *FunctionError) {
	e.initDuration = time.Since(e.begun)
	status, errorType := statusOf(failure)
	init := fields{"initializationType": e.initType(), "phase": "init", "status": status}
	setField(init, "errorType", errorType)
	e.stream.Publish("platform.initRuntimeDone", init)
	for _, x := range e.extensions.States() {
		record := fields{"name": x.Name, "state": x.State, "events": x.Events}
		setField(record, "errorType", x.ErrorType)
		e.stream.Publish("platform.extension", record)
	}
	report := fields{"initializationType": e.initType(), "phase": "init", "status": status, "metrics": fields{"durationMs": milliseconds(e.initDuration)}}
	setField(report, "errorType", errorType)
	e.stream.Publish("platform.initReport", report)
	e.stream.EndInit()
}

func (e *environment) publishStart(inv *invocation) {
	e.stream.Publish("platform.start", e.invocationFields(inv, fields{"version": e.cfg.Version}))
}

// publishRuntimeDone says that the runtime is done with an invocation. A function's
// own error is an "error" here; the documents say so, Lambda's emulator "success".
func (e *environment) publishRuntimeDone(inv *invocation, failure *FunctionError) {
	status, errorType := statusOf(failure)
	ended, spans := time.Now(), []fields{}
	if got := inv.answer; !got.ended.IsZero() {
		ended = got.ended
		spans = append(spans, span("responseLatency", inv.started, got.begun), span("responseDuration", got.begun, got.ended))
	}
	record := e.invocationFields(inv, fields{
		"status":  status,
		"spans":   spans,
		"metrics": fields{"durationMs": milliseconds(ended.Sub(inv.started)), "producedBytes": inv.answer.bytes},
	})
	setField(record, "errorType", errorType)
	e.stream.Publish("platform.runtimeDone", record)
}

func (e *environment) publishReport(inv *invocation, failure *FunctionError) {
	status, errorType := statusOf(failure)
	ended := time.Now()
	billed := ended.Sub(inv.started)
	metrics := fields{
		"durationMs":      milliseconds(billed),
		"memorySizeMB":    e.cfg.Memory,
		"maxMemoryUsedMB": (e.peak.Load() + 1<<20 - 1) >> 20,
	}
	if !e.reported {
		e.reported = true
		metrics["initDurationMs"] = milliseconds(e.initDuration)
		billed += e.initDuration // as for every OS-only runtime
	}
	metrics["billedDurationMs"] = int64(math.Ceil(milliseconds(billed)))
	record := e.invocationFields(inv, fields{"status": status, "metrics": metrics})
	setField(record, "errorType", errorType)
	if inv.after > 0 && e.extensions.HearInvocations() {
		record["spans"] = []fields{span("extensionOverhead", inv.answer.ended, ended)}
	}
	if failure != nil && inv.answer.failure == nil && failure.Type != TypeTimeout {
		e.stream.Publish("platform.fault", "RequestId: "+inv.call.RequestID+" Process exited before completing request")
	}
	e.stream.Publish("platform.end", fields{"requestId": inv.call.RequestID})
	e.stream.Publish("platform.report", record)
}

func (e *environment) invocationFields(inv *invocation, more fields) fields {
	more["requestId"] = inv.call.RequestID
	more["tracing"] = fields{"type": "X-Amzn-Trace-Id", "value": inv.call.TraceID}
	setField(more, "tenantId", inv.call.TenantID)
	return more
}

func setField(of fields, name, value string) {
	if value != "" {
		of[name] = value
	}
}

// statusOf returns the status of a record and its type of error, if any. As in Lambda's
// emulator it is a failure if the sandbox has failed, and otherwise an error.
func statusOf(failure *FunctionError) (status, errorType string) {
	switch {
	case failure == nil:
		return "success", ""
	case failure.Type == TypeTimeout:
		return "timeout", ""
	case strings.HasPrefix(failure.Type, "Sandbox."):
		return "failure", failure.Type
	}
	return "error", failure.Type
}

func span(name string, from, to time.Time) fields {
	return fields{"name": name, "start": telemetry.Time(from), "durationMs": milliseconds(to.Sub(from))}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
