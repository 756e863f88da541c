package extension

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// The examples of AWS's document, with what it says besides.
func TestRecordsOfThePlatform(t *testing.T) {
	start := time.Date(2022, 8, 2, 12, 1, 23, 521e6, time.UTC)
	tracing := Tracing{SpanID: "54565fb41ac79632", Type: "X-Amzn-Trace-Id", Value: "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"}
	const sentTracing = `{"spanId":"54565fb41ac79632","type":"X-Amzn-Trace-Id","value":"Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"}`
	environment := Environment{
		FunctionName: "myFunction", FunctionVersion: "$LATEST", InstanceID: "82561ce0-53dd-47d1-90e0-c8f5e063e62e", InstanceMaxMemory: 268435456,
		RuntimeVersion: "nodejs-14.v3", RuntimeVersionARN: "arn",
	}
	const sentEnvironment = `"runtimeVersion":"nodejs-14.v3","runtimeVersionArn":"arn","functionName":"myFunction","functionVersion":"$LATEST",
		"instanceId":"82561ce0-53dd-47d1-90e0-c8f5e063e62e","instanceMaxMemory":268435456`
	success := Result{Status: "success", Spans: []Span{{Name: "responseLatency", Start: start, DurationMs: 80}}}
	const sentSuccess = `"status":"success","spans":[{"name":"responseLatency","start":"2022-08-02T12:01:23.521Z","durationMs":80.0}]`

	report := Report{RequestID: "6d68ca91", Result: success, Tracing: tracing}
	report.Metrics.DurationMs, report.Metrics.BilledDurationMs, report.Metrics.InitDurationMs = 693.92, 694, 397.68
	report.Metrics.MemorySizeMB, report.Metrics.MaxMemoryUsedMB = 128, 84
	managed := Report{RequestID: "6d68ca91", Result: success}
	managed.Metrics.DurationMs = 12.5
	done := RuntimeDone{RequestID: "6d68ca91", Result: success, Tracing: tracing}
	done.Metrics.DurationMs, done.Metrics.ProducedBytes = 140, 16
	initReport := InitReport{InitializationType: "on-demand", Phase: "init", Result: success}
	initReport.Metrics.DurationMs = 125.33
	restoreReport := RestoreReport{Result: success}
	restoreReport.Metrics.DurationMs = 15.19

	for _, c := range []struct {
		what, kind, record string
		want               any
	}{
		{kind: "platform.initStart", record: `{"initializationType":"on-demand","phase":"init",` + sentEnvironment + `}`, want: InitStart{InitializationType: "on-demand", Phase: "init", Environment: environment}},
		{kind: "platform.initRuntimeDone", record: `{"initializationType":"snap-start",` + sentSuccess + `}`, want: InitRuntimeDone{InitializationType: "snap-start", Result: success}},
		{kind: "platform.initReport", record: `{"initializationType":"on-demand","phase":"init","metrics":{"durationMs":125.33},` + sentSuccess + `}`, want: initReport},
		{kind: "platform.restoreStart", record: `{` + sentEnvironment + `}`, want: RestoreStart{environment}},
		{kind: "platform.restoreRuntimeDone", record: `{` + sentSuccess + `}`, want: RestoreRuntimeDone{success}},
		{kind: "platform.restoreReport", record: `{"metrics":{"durationMs":15.19},` + sentSuccess + `}`, want: restoreReport},
		{kind: "platform.start", record: `{"requestId":"6d68ca91","version":"$LATEST","tracing":` + sentTracing + `}`, want: Start{RequestID: "6d68ca91", Version: "$LATEST", Tracing: tracing}},
		{kind: "platform.runtimeDone", record: `{"requestId":"6d68ca91","metrics":{"durationMs":140.0,"producedBytes":16},"tracing":` + sentTracing + `,` + sentSuccess + `}`, want: done},
		{
			kind: "platform.report",
			record: `{"requestId":"6d68ca91","metrics":{"billedDurationMs":694,"durationMs":693.92,"initDurationMs":397.68,"maxMemoryUsedMB":84,"memorySizeMB":128},
				"tracing":` + sentTracing + `,` + sentSuccess + `}`,
			want: report,
		},
		{what: "of a managed instance", kind: "platform.report", record: `{"requestId":"6d68ca91","metrics":{"durationMs":12.5},` + sentSuccess + `}`, want: managed},
		{kind: "platform.extension", record: `{"events":["INVOKE","SHUTDOWN"],"name":"mine","state":"Ready"}`, want: State{Name: "mine", State: "Ready", Events: []string{"INVOKE", "SHUTDOWN"}}},
		{kind: "platform.telemetrySubscription", record: `{"name":"mine","state":"Subscribed","types":["platform"]}`, want: Subscription{Name: "mine", State: "Subscribed", Types: []string{"platform"}}},
		{kind: "platform.logsDropped", record: `{"droppedBytes":12345,"droppedRecords":123,"reason":"slow"}`, want: LogsDropped{Reason: "slow", DroppedRecords: 123, DroppedBytes: 12345}},

		{what: "with a new member", kind: "platform.start", record: `{"requestId":"6f7f0961","more":{}}`, want: Start{RequestID: "6f7f0961"}},
		{what: "with a member of another type", kind: "platform.initStart", record: `{"instanceMaxMemory":"256","phase":"init"}`, want: InitStart{Phase: "init"}},
		{
			what: "with a start that is no time, as in the document", kind: "platform.restoreRuntimeDone",
			record: `{"spans":[{"name":"s","start":"2022-08-02T12:01:23:521Z","durationMs":80.0}],"status":"success"}`,
			want:   RestoreRuntimeDone{Result{Status: "success", Spans: []Span{{Name: "s", DurationMs: 80}}}},
		},
		{
			what: "with a span of another form", kind: "platform.restoreRuntimeDone", record: `{"spans":[{"name":1,"durationMs":80.0},"x"],"status":"success"}`,
			want: RestoreRuntimeDone{Result{Status: "success", Spans: []Span{{DurationMs: 80}, {}}}},
		},
		{what: "of an unknown type", kind: "platform.pause", record: `{}`, want: nil},
		{what: "as a text", kind: "platform.fault", record: `"RequestId: d783 Process exited"`, want: nil},
		{what: "as a text", kind: "platform.start", record: `"text"`, want: nil},
		{what: "of the function", kind: "function", record: `{"requestId":"x"}`, want: nil},
	} {
		got := Record{Type: c.kind, Raw: json.RawMessage(c.record)}.Platform()
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s: got %+v, want %+v", c.kind, c.what, got, c.want)
		}
	}
}

func TestTextOfALine(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{raw: `"[INFO] Hello \u00fc\n"`, want: "[INFO] Hello ü\n"},
		{raw: `{"level":"INFO", "message":"Hello"}`, want: `{"level":"INFO", "message":"Hello"}`},
		{raw: `""`, want: ""},
	} {
		if got := (Record{Type: "function", Raw: json.RawMessage(c.raw)}).Text(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.raw, got, c.want)
		}
	}
}

// A function that prints odd JSON must not hold back the other records.
func TestOddLinesAreTaken(t *testing.T) {
	batch := readBatch([]byte(`[
		{"time":"2026-10-12T00:03:50.000Z","type":"function","record":{"a":1,"a":2}},
		{"time":"2026-10-12T00:03:50.000Z","type":"function","record":"` + "\xff" + `"},
		{"time":"yesterday","type":"extension","record":[]},
		{"type":"platform.new","record":null,"more":1}]`))
	if len(batch) != 4 || !batch[2].Time.IsZero() || string(batch[0].Raw) != `{"a":1,"a":2}` || batch[1].Text() != "\ufffd" {
		t.Errorf("got %v, want four records as they were sent", batch)
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte(`[{"time":"2022-10-12T00:00:15.064Z","type":"platform.start","record":{"requestId":"6d68ca91","version":"$LATEST","tracing":{"spanId":"5","type":"X-Amzn-Trace-Id","value":"Root=1"}}}]`))
	f.Add([]byte(`[{"type":"platform.report","record":{"metrics":{"durationMs":1e400,"memorySizeMB":"x"},"spans":[{"start":1}]}},{"type":"function","record":"x"}]`))
	f.Add([]byte(`[{"type":"platform.restoreReport","record":{"spans":[null,{}],"status":null,"metrics":[]}}]`))
	f.Add([]byte(`null`))
	f.Add([]byte(`[{"type":"function","record":{"message":"AAAA}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, r := range readBatch(body) {
			if !json.Valid(r.Raw) {
				t.Errorf("record %d: got %+v, want JSON", i, r)
			}
			_ = r.Text()
			_ = r.Platform()
			for _, kind := range []string{"platform.initStart", "platform.report", "platform.runtimeDone", "platform.extension", "platform.logsDropped"} {
				r.Type = kind
				if got := r.Platform(); (got != nil) != (r.Raw[0] == '{') {
					t.Errorf("record %d as %s: got %v of %s", i, kind, got, r.Raw)
				}
			}
		}
	})
}
