package telemetry

import (
	"math"
	"strings"
	"time"
)

// An Environment publishes the records of the platform. Its methods are not for
// concurrent use. See
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
type Environment struct {
	Stream

	InitType string // initializationType
	Function string
	Version  string
	Instance string // the name of the log stream
	Memory   int    // MB

	begun    time.Time // INIT or the restore
	init     time.Duration
	restored time.Duration
	reported bool // an invocation, after which INIT is of the past
}

// An Invocation is what records tell of one.
type Invocation struct {
	RequestID, TraceID, TenantID string

	Started time.Time
	Begun   time.Time // with the first of the answer
	Ended   time.Time // with the last; zero if there is none
	Bytes   int       // of the answer
}

// Lambda's type for an invocation that took too long.
const TypeTimeout = "Sandbox.Timedout"

type fields map[string]any

// InitStart says that INIT begins.
func (e *Environment) InitStart() {
	e.begun = time.Now()
	record := e.fields()
	record["initializationType"], record["phase"] = e.InitType, "init"
	e.Publish("platform.initStart", record)
}

func (e *Environment) fields() fields {
	return fields{
		"functionName":      e.Function,
		"functionVersion":   e.Version,
		"instanceId":        e.Instance,
		"instanceMaxMemory": e.Memory << 20, // bytes, as Lambda sends them; the document's example has MB
	}
}

// InitDone says that INIT is over, with an error unless its type is empty. Each
// extension is a record of platform.extension. Then no extension can subscribe.
func (e *Environment) InitDone(errorType string, extensions []any) {
	e.init = time.Since(e.begun)
	record := fields{"initializationType": e.InitType, "phase": "init"}
	record.setStatus(errorType)
	e.Publish("platform.initRuntimeDone", record)
	for _, extension := range extensions {
		e.Publish("platform.extension", extension)
	}
	record["metrics"] = fields{"durationMs": milliseconds(e.init)}
	e.Publish("platform.initReport", record)
	e.EndInit()
}

// RestoreStart says that a restore begins.
func (e *Environment) RestoreStart() {
	e.begun = time.Now()
	e.Publish("platform.restoreStart", e.fields())
}

// RestoreDone says that a restore is over, with an error unless its type is empty.
func (e *Environment) RestoreDone(errorType string) {
	e.restored = time.Since(e.begun)
	record := fields{}
	record.setStatus(errorType)
	e.Publish("platform.restoreRuntimeDone", record)
	record["metrics"] = fields{"durationMs": milliseconds(e.restored)}
	e.Publish("platform.restoreReport", record)
}

// Start says that an invocation begins.
func (e *Environment) Start(inv Invocation) {
	record := inv.fields()
	record["version"] = e.Version
	e.Publish("platform.start", record)
}

// RuntimeDone says that the runtime is done with an invocation. An error that the
// function returns counts as one; the documents say so, Lambda's emulator "success".
// Managed instances do not say it.
func (e *Environment) RuntimeDone(inv Invocation, errorType string) {
	if e.Managed {
		return
	}
	record, ended := inv.fields(), time.Now()
	if !inv.Ended.IsZero() {
		ended = inv.Ended
	}
	record.setStatus(errorType)
	record["spans"] = inv.spans()
	record["metrics"] = fields{"durationMs": milliseconds(ended.Sub(inv.Started)), "producedBytes": inv.Bytes}
	e.Publish("platform.runtimeDone", record)
}

// Report says that the invoke phase is over. The first report has the duration of
// INIT, which is billed as for every OS-only runtime, or of the restore. With extensions that hear of
// invocations it has their overhead. The memory is in bytes. That of a managed instance
// has the duration and the spans of the answer alone.
func (e *Environment) Report(inv Invocation, errorType string, memory int64, extensions bool) {
	ended := time.Now()
	billed := ended.Sub(inv.Started)
	metrics := fields{"durationMs": milliseconds(billed)}
	record := inv.fields()
	record.setStatus(errorType)
	record["metrics"] = metrics
	if e.Managed {
		record["spans"] = inv.spans()
	} else {
		metrics["memorySizeMB"], metrics["maxMemoryUsedMB"] = e.Memory, (memory+1<<20-1)>>20
		switch {
		case e.reported:
		case e.restored > 0:
			metrics["restoreDurationMs"] = milliseconds(e.restored)
		default:
			metrics["initDurationMs"] = milliseconds(e.init)
			billed += e.init
		}
		e.reported = true
		metrics["billedDurationMs"] = int64(math.Ceil(milliseconds(billed)))
		if extensions && !inv.Ended.IsZero() {
			record["spans"] = []fields{span("extensionOverhead", inv.Ended, ended)}
		}
	}
	if inv.Ended.IsZero() && errorType != TypeTimeout {
		e.Publish("platform.fault", "RequestId: "+inv.RequestID+" Process exited before completing request")
	}
	e.Publish("platform.end", fields{"requestId": inv.RequestID})
	e.Publish("platform.report", record)
}

func (inv Invocation) fields() fields {
	f := fields{"requestId": inv.RequestID, "tracing": fields{"type": "X-Amzn-Trace-Id", "value": inv.TraceID}}
	if inv.TenantID != "" {
		f["tenantId"] = inv.TenantID
	}
	return f
}

// spans are those of the answer, if there is one.
func (inv Invocation) spans() []fields {
	if inv.Ended.IsZero() {
		return []fields{}
	}
	return []fields{span("responseLatency", inv.Started, inv.Begun), span("responseDuration", inv.Begun, inv.Ended)}
}

// setStatus sets the status and the type of error. As with Lambda's emulator it is a
// failure if the sandbox has failed, and otherwise an error.
func (f fields) setStatus(errorType string) {
	f["status"] = "error"
	switch {
	case errorType == "":
		f["status"] = "success"
		return
	case errorType == TypeTimeout:
		f["status"] = "timeout"
		return
	case strings.HasPrefix(errorType, "Sandbox."):
		f["status"] = "failure"
	}
	f["errorType"] = errorType
}

func span(name string, from, to time.Time) fields {
	return fields{"name": name, "start": Time(from), "durationMs": milliseconds(to.Sub(from))}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
