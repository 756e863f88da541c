package telemetry_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

func field(t *testing.T, e event, path ...string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(e.Record, &value); err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func TestReportsOfAnEnvironment(t *testing.T) {
	e, l := &telemetry.Environment{InitType: "on-demand", Function: "orders", Memory: 256}, listen(t, nil)
	defer e.Close()
	e.InitStart()
	subscribe(t, &e.Stream, subscription(l.port()))
	e.InitDone("", nil)
	started := time.Now().Add(-100 * time.Millisecond)
	inv := telemetry.Invocation{
		RequestID: "r-1", TenantID: "blue",
		Started: started, Begun: started.Add(60 * time.Millisecond), Ended: started.Add(80 * time.Millisecond), Bytes: 12,
	}
	e.RuntimeDone(inv, "")
	e.Report(inv, "", 100<<20+1, true)
	e.Report(inv, "", 0, false)

	events := l.await(t, "platform.report", 2)
	done, first, second := events[len(events)-3], events[len(events)-2], events[len(events)-1]
	for _, tt := range []struct {
		of   event
		path []string
		want string
	}{
		{of: events[0], path: []string{"instanceMaxMemory"}, want: "2.68435456e+08"},
		{of: done, path: []string{"tenantId"}, want: "blue"},
		{of: done, path: []string{"metrics", "durationMs"}, want: "80"},
		{of: done, path: []string{"metrics", "producedBytes"}, want: "12"},
		{of: first, path: []string{"metrics", "memorySizeMB"}, want: "256"},
		{of: first, path: []string{"metrics", "maxMemoryUsedMB"}, want: "101"},
		{of: second, path: []string{"metrics", "initDurationMs"}, want: ""},
		{of: second, path: []string{"spans"}, want: ""},
	} {
		if got := field(t, tt.of, tt.path...); got != tt.want {
			t.Errorf("%v of %s is %q, want %q", tt.path, tt.of.Type, got, tt.want)
		}
	}
	var spans struct {
		Spans []struct {
			Name       string
			DurationMs float64
		}
		Metrics struct{ DurationMs, BilledDurationMs, InitDurationMs float64 }
	}
	if err := json.Unmarshal(done.Record, &spans); err != nil || len(spans.Spans) != 2 || spans.Spans[0].DurationMs != 60 || spans.Spans[1].DurationMs != 20 {
		t.Errorf("spans of %s (%v)", done.Record, err)
	}
	if err := json.Unmarshal(first.Record, &spans); err != nil || len(spans.Spans) != 1 || spans.Spans[0].Name != "extensionOverhead" || spans.Spans[0].DurationMs < 20 {
		t.Errorf("spans of %s (%v)", first.Record, err)
	}
	if m := spans.Metrics; m.DurationMs < 100 || m.InitDurationMs <= 0 || m.BilledDurationMs < m.DurationMs+m.InitDurationMs {
		t.Errorf("metrics %+v", m)
	}
}

func TestRecordsOfManagedInstances(t *testing.T) {
	e, l := new(telemetry.Environment), listen(t, nil)
	e.Managed = true
	defer e.Close()
	e.InitStart()
	subscribe(t, &e.Stream, subscription(l.port(), "2022-07-01", "2025-01-29"))
	e.InitDone("", nil)
	started := time.Now()
	inv := telemetry.Invocation{RequestID: "r-1", Started: started, Begun: started, Ended: started}
	e.RuntimeDone(inv, "")
	e.Report(inv, "", 100, false)
	events := l.await(t, "platform.report", 1)
	report := events[len(events)-1]
	if slices.Contains(types(events), "platform.runtimeDone") {
		t.Errorf("got %q, which managed instances do not send all", types(events))
	}
	var got struct {
		Metrics map[string]any
		Spans   []struct{ Name string }
	}
	if err := json.Unmarshal(report.Record, &got); err != nil || len(got.Metrics) != 1 || got.Metrics["durationMs"] == nil {
		t.Errorf("metrics of %s (%v), want durationMs alone", report.Record, err)
	}
	if len(got.Spans) != 2 || got.Spans[0].Name != "responseLatency" || got.Spans[1].Name != "responseDuration" {
		t.Errorf("spans of %s, want those of the response", report.Record)
	}
}

func TestStatusOfFailures(t *testing.T) {
	for errorType, want := range map[string][]string{
		"Extension.Crash":       {"platform.initReport error", "platform.runtimeDone error", "platform.fault", "platform.end", "platform.report error"},
		telemetry.TypeTimeout:   {"platform.initReport timeout", "platform.runtimeDone timeout", "platform.end", "platform.report timeout"},
		"Sandbox.Failure":       {"platform.initReport failure", "platform.runtimeDone failure", "platform.fault", "platform.end", "platform.report failure"},
		"Runtime.ExitError":     {"platform.initReport error", "platform.runtimeDone error", "platform.fault", "platform.end", "platform.report error"},
		"Function.SomethingOwn": {"platform.initReport error", "platform.runtimeDone error", "platform.fault", "platform.end", "platform.report error"},
	} {
		e, l, logs := new(telemetry.Environment), listen(t, nil), listen(t, nil)
		defer e.Close()
		e.InitStart()
		subscribe(t, &e.Stream, subscription(l.port()))
		if err := e.Subscribe("logs", telemetry.LogsAPI, []byte(subscription(logs.port(), "2022-07-01", "2021-03-18"))); err != nil {
			t.Fatal(err)
		}
		e.InitDone(errorType, nil)
		inv := telemetry.Invocation{RequestID: "r-1", Started: time.Now()}
		e.RuntimeDone(inv, errorType)
		e.Report(inv, errorType, 0, false)

		told := func(events []event) (all []string) {
			for _, e := range events {
				switch e.Type {
				case "platform.fault", "platform.end":
					all = append(all, e.Type)
				case "platform.initReport", "platform.runtimeDone", "platform.report":
					all = append(all, e.Type+" "+field(t, e, "status"))
				}
			}
			return all
		}
		withoutLogs := func(kind string) bool { return kind == "platform.fault" || kind == "platform.end" }
		if got, want := told(l.await(t, "platform.report", 1)), slices.DeleteFunc(slices.Clone(want), withoutLogs); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", errorType, got, want)
		}
		if got, want := told(logs.await(t, "platform.report", 1)), want[1:]; !slices.Equal(got, want) {
			t.Errorf("%s by the Logs API: %q, want %q", errorType, got, want)
		}
	}
}
