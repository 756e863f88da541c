package guardtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

type record struct {
	Type   string
	Record json.RawMessage
}

func (r record) field(name string) string {
	var fields map[string]any
	_ = json.Unmarshal(r.Record, &fields)
	if fields[name] == nil {
		return ""
	}
	return fmt.Sprint(fields[name])
}

// records are what the extension telemetry has received.
func records(t *testing.T, file string) (all []record) {
	t.Helper()
	got, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	for decoder := json.NewDecoder(got); ; {
		var batch []record
		if err := decoder.Decode(&batch); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, batch...)
	}
}

// subscribed returns the identifier of a new extension for INVOKE, and the records of the
// platform that it receives.
func subscribed(t *testing.T, c client) (id string, received <-chan record) {
	t.Helper()
	all := make(chan record, 100)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var batch []record
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		for _, r := range batch {
			all <- r
		}
	}))
	t.Cleanup(listener.Close)
	res, _ := c.do("POST", "/2020-01-01/extension/register", `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "watch")
	id = res.Header.Get("Lambda-Extension-Identifier")
	_, port, _ := strings.Cut(listener.Listener.Addr().String(), ":")
	c.do("PUT", "/2022-07-01/telemetry", `{"schemaVersion":"2025-01-29","types":["platform"],"buffering":{"timeoutMs":25},`+
		`"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:`+port+`"}}`, "Lambda-Extension-Identifier", id)
	return id, all
}

// INIT may end while its time does.
func TestInitIsReportedOnce(t *testing.T) {
	rt, c := newRuntime(t, guardtest.Config{})
	_, received := subscribed(t, c)
	invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	id, _ := c.next()
	rt.FailInit(guardtest.TypeTimeout)
	c.post(id.Header.Get("Lambda-Runtime-Aws-Request-Id"), "response", "done")
	reports := 0
	for tooLong := time.After(patient); ; {
		select {
		case r := <-received:
			switch r.Type {
			case "platform.initReport":
				reports++
			case "platform.runtimeDone":
				if reports != 1 {
					t.Errorf("%d reports of INIT, want 1", reports)
				}
				return
			}
		case <-tooLong:
			t.Fatal("the invocation has no record")
		}
	}
}

func TestExtensionReceivesTheTelemetryOfItsEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	fn := beside(t, guardtest.Config{Name: "orders", Env: []string{"EXTENSION_RECORDS=" + file}}, "telemetry", "watch")
	if _, err := fn.Do(within(t, patient), guardtest.Call{RequestID: "first", Payload: []byte(`{"do":"log","text":"a line"}`)}); err != nil {
		t.Fatal(err)
	}
	_, err := fn.Do(within(t, patient), guardtest.Call{RequestID: "second", Payload: []byte(`{"do":"typed error"}`)})
	failure(t, err)
	waitLog(t, fn, "watch invoke second\n") // so that the line is not late
	_, err = fn.Do(within(t, patient), guardtest.Call{RequestID: "third", Payload: []byte(`{"do":"exit"}`)})
	failure(t, err)
	fn.Close()
	if want := `telemetry subscribed 200 "OK"`; !strings.Contains(fn.Log(), want) {
		t.Errorf("%q is not in the log: %s", want, fn.Log())
	}

	var platform, lines []string
	for _, r := range records(t, file) {
		if !strings.HasPrefix(r.Type, "platform.") {
			lines = append(lines, r.Type+" "+string(r.Record))
			continue
		}
		told := []string{r.Type}
		for _, name := range []string{"requestId", "name", "status", "errorType"} {
			if value := r.field(name); value != "" {
				told = append(told, value)
			}
		}
		platform = append(platform, strings.Join(told, " "))
	}
	want := []string{
		"platform.initStart",
		"platform.telemetrySubscription telemetry",
		"platform.initRuntimeDone success",
		"platform.extension telemetry",
		"platform.extension watch",
		"platform.initReport success",
		"platform.start first",
		"platform.runtimeDone first success",
		"platform.report first success",
		"platform.start second",
		"platform.runtimeDone second error no_stock",
		"platform.report second error no_stock",
		"platform.start third",
		"platform.runtimeDone third error Runtime.ExitError",
		"platform.report third error Runtime.ExitError",
	}
	if !slices.Equal(platform, want) {
		t.Errorf("the platform's records are\n%s\nwant\n%s", strings.Join(platform, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range []string{`function "a line"`, `extension "watch invoke first"`, `extension "watch invoke second"`} {
		if !slices.Contains(lines, line) {
			t.Errorf("%s is not in %q", line, lines)
		}
	}
}

func TestTelemetryTellsOfATimeout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	fn := beside(t, guardtest.Config{Env: []string{"EXTENSION_RECORDS=" + file}}, "telemetry")
	overrun(t, fn)
	fn.Close()
	var ends []string
	for _, r := range records(t, file) {
		if r.Type == "platform.runtimeDone" || r.Type == "platform.report" {
			ends = append(ends, r.Type+" "+r.field("status")+r.field("errorType"))
		}
	}
	if want := []string{"platform.runtimeDone timeout", "platform.report timeout"}; !slices.Equal(ends[len(ends)-2:], want) {
		t.Errorf("%q, want %q at the end", ends, want)
	}
}

func TestLinesOfAFunctionWithJSONLogsAreObjects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	fn := beside(t, guardtest.Config{Env: []string{"EXTENSION_RECORDS=" + file, "AWS_LAMBDA_LOG_FORMAT=JSON"}}, "telemetry")
	answer(t, fn, `{"do":"log","text":"{\"level\":\"INFO\",\"message\":\"hello\"}"}`)
	fn.Close()
	if !slices.ContainsFunc(records(t, file), func(r record) bool { return r.Type == "function" && r.field("message") == "hello" }) {
		t.Errorf("no such record in %+v", records(t, file))
	}
}

// Of many invocations in several environments nothing is lost, twice or of another.
func TestTelemetryOfManyInvocationsAtOnce(t *testing.T) {
	const calls = 120
	file := filepath.Join(t.TempDir(), "records")
	fn := beside(t, guardtest.Config{Instances: 3, Freeze: true, Env: []string{"EXTENSION_RECORDS=" + file}}, "telemetry", "watch")
	var wg sync.WaitGroup
	for n := range calls {
		wg.Go(func() {
			call := guardtest.Call{RequestID: fmt.Sprintf("r-%03d", n), Payload: fmt.Appendf(nil, `{"do":"log","text":"line of r-%03d"}`, n)}
			if _, err := fn.Do(within(t, patient), call); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fn.Close()
	count := map[string]int{}
	for _, r := range records(t, file) {
		switch r.Type {
		case "function":
			count[string(r.Record)]++
		default:
			count[r.Type+" "+r.field("requestId")]++
		}
	}
	for n := range calls {
		for _, of := range []string{`"line of r-%03d"`, "platform.start r-%03d", "platform.runtimeDone r-%03d", "platform.report r-%03d"} {
			if what := fmt.Sprintf(of, n); count[what] != 1 {
				t.Errorf("%d of %s", count[what], what)
			}
		}
	}
}

func TestSubscriptionNeedsAnExtensionInInit(t *testing.T) {
	rt, function := newRuntime(t, guardtest.Config{})
	const telemetry, logs = "/2022-07-01/telemetry", "/2020-08-15/logs"
	body := `{"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox:8080"}}`
	for _, path := range []string{telemetry, logs} {
		if res, answer := function.do("PUT", path, body); res.StatusCode != 403 || !strings.Contains(answer, "Extension.MissingExtensionIdentifier") {
			t.Errorf("%s without an identifier: %d %s", path, res.StatusCode, answer)
		}
	}
	register := func(name string) (id string) {
		res, _ := function.do("POST", "/2020-01-01/extension/register", `{"events":[]}`, "Lambda-Extension-Name", name)
		return res.Header.Get("Lambda-Extension-Identifier")
	}
	early, late := register("early"), register("late")
	if res, answer := function.do("PUT", telemetry, body, "Lambda-Extension-Identifier", early); res.StatusCode != 200 || answer != `"OK"` {
		t.Errorf("%d %s", res.StatusCode, answer)
	}
	if res, answer := function.do("PUT", logs, `{}`, "Lambda-Extension-Identifier", late); res.StatusCode != 400 || !strings.Contains(answer, "Logs.ValidationError") {
		t.Errorf("%d %s", res.StatusCode, answer)
	}
	invoke(t.Context(), rt, guardtest.Call{RequestID: "r"})
	function.next()
	if res, answer := function.do("PUT", telemetry, body, "Lambda-Extension-Identifier", late); res.StatusCode != 403 || !strings.Contains(answer, "Telemetry.SubscriptionClosed") {
		t.Errorf("after INIT: %d %s", res.StatusCode, answer)
	}
}
