package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// named sets the name and the version of the function, as Lambda does.
func named(t *testing.T) {
	name, version := lambdacontext.FunctionName, lambdacontext.FunctionVersion
	t.Cleanup(func() { lambdacontext.FunctionName, lambdacontext.FunctionVersion = name, version })
	lambdacontext.FunctionName, lambdacontext.FunctionVersion = "orders", "7"
}

func wantKeys(t *testing.T, record map[string]any, want ...string) {
	t.Helper()
	got := slices.Sorted(maps.Keys(record))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
}

func TestARecordOfAnInvocation(t *testing.T) {
	named(t)
	log, book := logbook.New()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ctx = lambdacontext.NewContext(invocation(ctx, ""), &lambdacontext.LambdaContext{AwsRequestID: "r-1", TenantID: "t-1"})
		h := guard.Wrap(ignoring(1500*time.Millisecond, `1`, nil), guard.Log(log))
		if _, err := h.Invoke(ctx, []byte(`{"any":"thing"}`)); err != nil {
			t.Error(err)
		}
	})
	record := book.Only(t)
	wantKeys(t, record, "timestamp", "level", "message", "requestId", "functionName", "functionVersion", "coldStart",
		"traceId", "tenantId", "trigger", "durationMs", "remainingMs")
	for key, want := range map[string]any{
		"timestamp": "2000-01-01T00:00:01.500Z", "level": "INFO", "message": "invocation", "requestId": "r-1",
		"functionName": "orders", "functionVersion": "7", "coldStart": true, "traceId": "1-5759e988-bd862e3fe1be46a994272793",
		"tenantId": "t-1", "trigger": "unknown", "durationMs": json.Number("1500"), "remainingMs": json.Number("8500"),
	} {
		if record[key] != want {
			t.Errorf("%s: %v, want %v", key, record[key], want)
		}
	}
}

// Emulators send no deadline, or 0: there is no time that remains.
func TestWithoutADeadlineNothingRemains(t *testing.T) {
	epoch, cancel := context.WithDeadline(t.Context(), time.UnixMilli(0))
	defer cancel()
	for rule, ctx := range map[string]context.Context{"none": t.Context(), "the beginning of time": epoch} {
		log, book := logbook.New()
		if _, err := guard.Wrap(answers(`1`, nil), guard.Log(log)).Invoke(ctx, nil); err != nil {
			t.Error(err)
		}
		if left, ok := book.Only(t)["remainingMs"]; ok {
			t.Errorf("%s: %v", rule, left)
		}
	}
}

func TestARecordOfAnHTTPRequest(t *testing.T) {
	named(t)
	routed := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			layer.SetRoute(ctx, "POST /routed")
			return next.Invoke(ctx, payload)
		})
	}
	reading := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if _, err := guard.EventOf(ctx, payload).HTTP(); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	for _, tc := range []struct {
		rule    string
		payload []byte
		out     string
		layer   guard.Middleware
		method  string
		route   string
		status  any // nil is none
		level   string
	}{
		{
			rule:    "HTTP API",
			payload: httpEvent("x", false),
			out:     `{"statusCode":201,"body":"{}"}`,
			method:  "POST",
			route:   "POST /orders",
			status:  "201",
			level:   "INFO",
		},
		{
			rule:    "REST API",
			payload: readSample(t, "apigw-request.json"),
			out:     `{"body":"{}","statusCode":200}`,
			method:  "POST",
			route:   "POST /{proxy+}",
			status:  "200",
			level:   "INFO",
		},
		{
			rule:    "REST API, read by the handler",
			payload: readSample(t, "apigw-request.json"),
			out:     `{"statusCode":200}`,
			layer:   reading,
			method:  "POST",
			route:   "POST /{proxy+}",
			status:  "200",
			level:   "INFO",
		},
		{
			rule:    "function URL",
			payload: readSample(t, "lambda-urls-request.json"),
			out:     `{"statusCode":200}`,
			method:  "POST",
			status:  "200",
			level:   "INFO",
		},
		{
			rule:    "a router names the route",
			payload: httpEvent("x", false),
			out:     `{"statusCode":200}`,
			layer:   routed,
			method:  "POST",
			route:   "POST /routed",
			status:  "200",
			level:   "INFO",
		},
		{
			rule:    "an answer without a status is a 200",
			payload: httpEvent("x", false),
			out:     `"text"`,
			method:  "POST",
			route:   "POST /orders",
			status:  "200",
			level:   "INFO",
		},
		{
			rule:    "a caller's fault",
			payload: httpEvent("x", false),
			out:     `{"statusCode":404}`,
			method:  "POST",
			route:   "POST /orders",
			status:  "404",
			level:   "WARN",
		},
		{
			rule:    "our fault",
			payload: httpEvent("x", false),
			out:     `{"statusCode":503}`,
			method:  "POST",
			route:   "POST /orders",
			status:  "503",
			level:   "ERROR",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			_, err := guard.Wrap(answers(tc.out, nil), guard.Log(log), tc.layer).Invoke(invocation(t.Context(), "r-1"), tc.payload)
			if err != nil {
				t.Fatal(err)
			}
			record := book.Only(t)
			keys := []string{
				"timestamp", "level", "message", "requestId", "functionName", "functionVersion", "coldStart",
				"traceId", "trigger", "durationMs", "method", "status",
			}
			if tc.route != "" {
				keys = append(keys, "route")
			}
			wantKeys(t, record, keys...)
			route, _ := record["route"].(string)
			if record["method"] != tc.method || route != tc.route || fmt.Sprint(record["status"]) != tc.status || record["level"] != tc.level {
				t.Errorf("%v", record)
			}
		})
	}
}

func TestWhateverHappensThereIsOneRecord(t *testing.T) {
	forPlatform := messages.InvokeResponse_Error{Type: "Own", Message: "m"}
	declined := &guard.Error{Kind: guard.Unprocessable, Code: "card_declined", Detail: "Declined.", Err: io.ErrUnexpectedEOF}
	// As a layer does that makes an answer of an error.
	answered := func(err error) guard.Middleware {
		return func(lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				layer.SetError(ctx, err)
				return []byte(`{"statusCode":422}`), nil
			})
		}
	}
	for _, tc := range []struct {
		rule   string
		err    error
		layers []guard.Middleware
		level  string
		kind   string // "" is no error
		code   string
		cause  any // nil is none
	}{
		{rule: "success", level: "INFO"},
		{
			rule:  "an unknown error",
			err:   errors.New("connection refused"),
			level: "ERROR",
			kind:  "internal",
			code:  "internal",
			cause: "*errors.errorString",
		},
		{
			rule:  "an Error of ours",
			err:   &guard.Error{Kind: guard.Unavailable, Code: "down"},
			level: "ERROR",
			kind:  "unavailable",
			code:  "down",
		},
		{
			rule:  "an Error of the caller's",
			err:   declined,
			level: "WARN",
			kind:  "unprocessable",
			code:  "card_declined",
			cause: "unexpected EOF",
		},
		{
			rule:  "an Error, wrapped",
			err:   fmt.Errorf("pay: %w", declined),
			level: "WARN",
			kind:  "unprocessable",
			code:  "card_declined",
			cause: "unexpected EOF",
		},
		{
			rule:   "an Error behind Errors",
			err:    declined,
			layers: []guard.Middleware{guard.Errors()},
			level:  "WARN",
			kind:   "unprocessable",
			code:   "card_declined",
			cause:  "unexpected EOF",
		},
		{
			rule:   "an unknown error behind Errors",
			err:    io.EOF,
			layers: []guard.Middleware{guard.Errors()},
			level:  "ERROR",
			kind:   "internal",
			code:   "internal",
			cause:  "EOF",
		},
		{
			rule:   "an error made an answer",
			layers: []guard.Middleware{answered(declined)},
			level:  "WARN",
			kind:   "unprocessable",
			code:   "card_declined",
			cause:  "unexpected EOF",
		},
		{
			rule:   "an error of an outer layer goes before one made an answer",
			layers: []guard.Middleware{fails(io.EOF), answered(declined)},
			level:  "ERROR",
			kind:   "internal",
			code:   "internal",
			cause:  "EOF",
		},
		{
			rule:   "a refused event",
			layers: []guard.Middleware{guard.Limit(guard.Limits{Payload: 1})},
			level:  "WARN",
			kind:   "too_large",
			code:   "payload_too_large",
		},
		{
			rule:   "a rewritten payload",
			layers: []guard.Middleware{rewriting(`{"Records":[]}`)},
			level:  "INFO",
		},
		{
			rule:   "an error for the platform",
			err:    fmt.Errorf("x: %w", forPlatform),
			layers: []guard.Middleware{guard.Errors()},
			level:  "ERROR",
			kind:   "internal",
			code:   "internal",
			cause:  "messages.InvokeResponse_Error Own",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			layers := append([]guard.Middleware{guard.Log(log)}, tc.layers...)
			_, _ = guard.Wrap(answers(`{}`, tc.err), layers...).Invoke(invocation(t.Context(), "r-1"), httpEvent("x", false))
			record := book.Only(t)
			if record["level"] != tc.level || record["trigger"] != "http-api" {
				t.Errorf("%v", record)
			}
			failure, failed := record["error"].(map[string]any)
			if failed != (tc.kind != "") {
				t.Fatalf("%v", record)
			}
			if failed && (failure["kind"] != tc.kind || failure["code"] != tc.code || failure["cause"] != tc.cause || failure["stack"] != nil) {
				t.Errorf("%v", failure)
			}
		})
	}
}

// fails is a layer that puts an error in the place of any answer.
func fails(err error) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			_, _ = next.Invoke(ctx, payload)
			return nil, err
		})
	}
}

func TestATimeoutIsOneRecord(t *testing.T) {
	log, book := logbook.New()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		h := guard.Wrap(ignoring(2*time.Second, "x", nil), guard.Default(log))
		_, err := h.Invoke(ctx, nil)
		if got := posted(t, err); got.Type != "timeout" {
			t.Errorf("%+v", got)
		}
	})
	record := book.Only(t)
	failure := record["error"].(map[string]any)
	if record["level"] != "ERROR" || failure["kind"] != "timeout" ||
		failure["cause"] != "guard: the handler overran: it returned a value after its time" || record["remainingMs"] != json.Number("-1000") {
		t.Errorf("%v", record)
	}
}

func TestAPanicWithoutRecoverIsRecordedAndGoesOn(t *testing.T) {
	for rule, tc := range map[string]struct {
		end   func()
		value any
		cause string
	}{
		"panic":          {end: func() { panic(panicMarker) }, value: panicMarker, cause: "the handler panicked with a string"},
		"runtime.Goexit": {end: runtime.Goexit, cause: "the handler called runtime.Goexit"},
	} {
		t.Run(rule, func(t *testing.T) {
			log, book := logbook.New()
			h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { tc.end(); return nil, nil }), guard.Log(log))
			var value any
			returned := false
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { value = recover() }()
				_, _ = h.Invoke(t.Context(), nil)
				returned = true
			}()
			<-done
			if value != tc.value || returned {
				t.Errorf("got %v recovered and returned %t, want %v and false", value, returned, tc.value)
			}
			record := book.Only(t)
			failure := record["error"].(map[string]any)
			stack, _ := failure["stack"].(string)
			if record["level"] != "ERROR" || failure["code"] != "panic" || !strings.Contains(stack, "TestAPanicWithoutRecover") ||
				failure["cause"] != tc.cause {
				t.Errorf("got %v, want an ERROR with cause %s", record, tc.cause)
			}
			if strings.Contains(book.String(), panicMarker) {
				t.Errorf("the value shows:\n%s", book)
			}
		})
	}
}

// The search for a correlation id is the caller's code and runs in the layer.
func TestAPanicOfCorrelateIsRecorded(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(answers("", nil), guard.Log(log, guard.Correlate(func(context.Context, *guard.Event) string { panic(panicMarker) })))
	func() {
		defer func() {
			if recover() != panicMarker {
				t.Error("the panic did not go on")
			}
		}()
		_, _ = h.Invoke(t.Context(), nil)
	}()
	if failure, _ := book.Only(t)["error"].(map[string]any); failure["code"] != "panic" {
		t.Errorf("%s", book)
	}
}

// SECURITY: Nothing leaks.
func TestNeitherPayloadNorAnswerIsInTheLog(t *testing.T) {
	const marker = "s3cr3t@example.com"
	log, book := logbook.New()
	h := guard.Wrap(answers(`{"statusCode":200,"body":"`+marker+`"}`, nil), guard.Default(log))
	for _, payload := range [][]byte{
		httpEvent(`{"password":"`+marker+`"}`, false), []byte(marker), []byte(`{"` + marker + `":{"` + marker + `":1}`),
		[]byte(`{"Records":[{"eventSource":"` + marker + `","body":"` + marker + `"}]}`), []byte(strings.Repeat(`{"`+marker+`":`, 65)),
	} {
		_, _ = h.Invoke(invocation(t.Context(), "r-1"), payload)
	}
	// The last one is refused, and the refusal points into the event; names that
	// no field has are left out of it.
	if strings.Contains(book.String(), marker) || len(book.Records(t)) != 5 {
		t.Errorf("\n%s", book)
	}
}

func TestAddAttrs(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				guard.AddAttrs(ctx, slog.Int(fmt.Sprintf("n%d", i), i), slog.Bool(fmt.Sprintf("b%d", i), true))
			})
		}
		wg.Wait()
		guard.AddAttrs(ctx, slog.Group("order", slog.String("id", "o-1")))
		return nil, nil
	}), guard.Log(log))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	record := book.Only(t)
	for i := range 64 {
		if record[fmt.Sprintf("n%d", i)] != json.Number(fmt.Sprint(i)) || record[fmt.Sprintf("b%d", i)] != true {
			t.Errorf("%d is missing", i)
		}
	}
	if fmt.Sprint(record["order"]) != "map[id:o-1]" {
		t.Errorf("%v", record["order"])
	}
}

// The same nil pointer in an attribute is shown by its type.
func TestAnAddedErrorThatPanicsIsShown(t *testing.T) {
	for _, opts := range [][]guard.LogOption{nil, {guard.UnsafeErrorTexts()}} {
		log, book := logbook.New()
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			guard.AddAttrs(ctx, slog.Any("close", (*fs.PathError)(nil)))
			return nil, nil
		}), guard.Log(log, opts...))
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got, _ := book.Only(t)["close"].(string); !strings.Contains(got, "*fs.PathError") {
			t.Errorf("got %q, want the type", got)
		}
	}
}

func TestOutsideAnInvocationNothingIsNoted(t *testing.T) {
	guard.AddAttrs(t.Context(), slog.Int("n", 1))
	layer.SetRoute(t.Context(), "GET /")
	layer.SetError(t.Context(), io.EOF)
	log, book := logbook.New()
	if _, err := guard.Log(log)(answers("", nil)).Invoke(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if record := book.Only(t); record["n"] != nil || record["error"] != nil {
		t.Errorf("%v", record)
	}
}

func TestTheRecordStandsOutsideTheLoggersGroups(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(answers("", nil), guard.Log(log.With("service", "shop").WithGroup("app").With("version", 2)))
	if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	record := book.Only(t)
	if record["requestId"] != "r-1" || record["service"] != "shop" || fmt.Sprint(record["app"]) != "map[version:2]" {
		t.Errorf("%v", record)
	}
}

func TestAnyHandlerOfSlogWorks(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil)).WithGroup("app")
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		log.InfoContext(ctx, "from the handler")
		return nil, nil
	}), guard.Log(log))
	if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || strings.Contains(lines[0], "r-1") || !strings.Contains(lines[1], `"app":{"requestId":"r-1"`) {
		t.Errorf("\n%s", out.String())
	}
}

type brokenHandler struct{ slog.Handler }

func (brokenHandler) Handle(context.Context, slog.Record) error { return io.ErrClosedPipe }

func TestALogThatCannotBeWrittenFailsNothing(t *testing.T) {
	h := guard.Wrap(answers("x", nil), guard.Log(slog.New(brokenHandler{Handler: slog.DiscardHandler})))
	if out, err := h.Invoke(t.Context(), nil); string(out) != "x" || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	h = guard.Wrap(answers("x", nil), guard.Log(logging.New(brokenWriter{})))
	if out, err := h.Invoke(t.Context(), nil); string(out) != "x" || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestALevelThatIsNotWrittenCostsNoRecord(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_LEVEL", "ERROR")
	log, book := logbook.New()
	_, _ = guard.Wrap(answers("", nil), guard.Log(log)).Invoke(t.Context(), nil)
	if book.Len() != 0 {
		t.Errorf("%s", book)
	}
	_, _ = guard.Wrap(answers("", io.EOF), guard.Log(log)).Invoke(t.Context(), nil)
	if book.Only(t)["level"] != "ERROR" {
		t.Errorf("%s", book)
	}
}

// A nil *fs.PathError that became an error by accident panics when it is unwrapped.
func TestAnErrorThatPanicsIsRecorded(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(answers("", (*fs.PathError)(nil)), guard.Log(log))
	value := func() (value any) {
		defer func() { value = recover() }()
		_, _ = h.Invoke(t.Context(), nil)
		return nil
	}()
	if _, ok := value.(runtime.Error); !ok {
		t.Errorf("got %v recovered, want the error of the Go runtime", value)
	}
	if failure, ok := book.Only(t)["error"].(map[string]any); !ok || failure["code"] != "panic" {
		t.Errorf("got %s, want an error with code panic", book.String())
	}
}
