package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

// warm invokes a handler once, so that the next invocation is no cold start.
func warm(t *testing.T, h lambda.Handler, w *buffer) {
	t.Helper()
	func() {
		defer func() { _ = recover() }()
		_, _ = h.Invoke(t.Context(), sample.HTTP("GET", "/warm").Bytes())
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Reset()
	w.calls = 0
}

func TestAnInvocationIsOneDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w buffer
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(1500 * time.Microsecond)
			layer.Count(ctx, layer.Replays, 2)
			layer.Count(ctx, layer.RecordsFailed, 3)
			layer.Count(ctx, "OwnCount", 4)
			return []byte(`{"statusCode":201}`), metrics.Add(ctx, "Placed", metrics.Count, 1)
		}), metrics.Default(metrics.New(&w, "Shop", metrics.Dimensions(dim("service", "orders")))))
		ctx, cancel := context.WithTimeout(withRequest(t.Context(), "r-1"), time.Second)
		defer cancel()
		if _, err := h.Invoke(ctx, sample.HTTP("POST", "/orders").Bytes()); err != nil {
			t.Fatal(err)
		}
		all := read(t, w.String())
		if len(all) != 2 || all[0].String() != "map[service:orders] [ColdStart]" || all[0].sum("ColdStart") != 1 {
			t.Fatalf("got %v, want ColdStart in a document of its own and another one", all)
		}
		d := all[1]
		for name, want := range map[string]struct {
			value float64
			unit  string
		}{
			"Invocations": {value: 1, unit: "Count"}, "Duration": {value: 1.5, unit: "Milliseconds"},
			"Remaining": {value: 998.5, unit: "Milliseconds"}, "Placed": {value: 1, unit: "Count"},
			"Replays": {value: 2, unit: "Count"}, "RecordsFailed": {value: 3, unit: "Count"}, "OwnCount": {value: 4, unit: "Count"},
		} {
			if got := d.metrics[name]; d.sum(name) != want.value || got.unit != want.unit {
				t.Errorf("got %v as %s, want %g %s", got, name, want.value, want.unit)
			}
		}
		if len(d.metrics) != 7 || d.dimensions["service"] != "orders" || d.properties["requestId"] != "r-1" {
			t.Errorf("got %v with %v, want seven metrics of the service and the request", d, d.properties)
		}
		warm(t, h, &w)
		if _, err := h.Invoke(t.Context(), sample.HTTP("POST", "/orders").Bytes()); err != nil {
			t.Fatal(err)
		}
		d = one(t, w.String())
		if len(d.metrics["Remaining"].values) != 0 {
			t.Errorf("got %v, want no remaining time without a deadline", d)
		}
		if d.sum("Placed") != 1 || d.sum("Replays") != 2 {
			t.Errorf("got %v, want nothing of an earlier invocation", d.metrics)
		}
	})
}

// The start counts even if the first invocation never ends.
func TestAColdStartIsWrittenBeforeTheHandlerRuns(t *testing.T) {
	var w buffer
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		if d := one(t, w.String()); d.sum("ColdStart") != 1 {
			t.Errorf("got %v, want the cold start", d)
		}
		return nil, nil
	}), metrics.Default(metrics.New(&w, "Shop")))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestProvisionedInstancesHaveNoColdStart(t *testing.T) {
	t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")
	var w buffer
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }), metrics.Default(metrics.New(&w, "Shop")))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d := one(t, w.String()); len(d.metrics["ColdStart"].values) != 0 {
		t.Errorf("got %v, want no cold start", d)
	}
}

func TestFailuresAreCountedByKind(t *testing.T) {
	quiet := logging.New(new(buffer))
	failing := func(err error) lambda.Handler {
		return guard.Func(func(context.Context, any) (any, error) { return nil, err })
	}
	answers := func(status int) lambda.Handler {
		return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
			return fmt.Appendf(nil, `{"statusCode":%d}`, status), nil
		})
	}
	request := httpapi.Default(quiet)
	type test struct {
		name    string
		handler lambda.Handler
		layers  []guard.Middleware
		payload []byte
		want    string // "Faults internal", "" for neither
	}
	tests := []test{
		{name: "nothing", handler: failing(nil)},
		{name: "an error", handler: failing(errors.New("x")), want: "Faults internal"},
		{name: "a deadline", handler: failing(fmt.Errorf("x: %w", context.DeadlineExceeded)), want: "Faults timeout"},
		{name: "a panic", handler: guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("x") }), want: "Faults internal"},
		{
			name: "an error that panics when it is unwrapped", want: "Faults internal",
			handler: guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, (*fs.PathError)(nil) }),
		},
		{
			name: "a panic that is recovered", layers: []guard.Middleware{guard.Default(quiet)}, want: "Faults internal",
			handler: guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("x") }),
		},
		{
			name: "an error made one for the platform", layers: []guard.Middleware{guard.Default(quiet)}, want: "Refusals conflict",
			handler: failing(guard.Errorf(guard.Conflict, "closed", "Closed.")),
		},
		{
			name: "an error made an answer", layers: []guard.Middleware{request}, payload: sample.HTTP("GET", "/").Bytes(), want: "Faults unavailable",
			handler: httpapi.Func(func(context.Context, struct{}) (string, error) {
				return "", guard.Errorf(guard.Unavailable, "", "")
			}),
		},
		{
			name: "a refusal made an answer", layers: []guard.Middleware{request}, payload: sample.HTTP("GET", "/nowhere").Bytes(), want: "Refusals not_found",
			handler: httpapi.Routes(map[string]lambda.Handler{"GET /a": httpapi.Func(func(context.Context, struct{}) (string, error) { return "", nil })}),
		},
		{
			name: "what a layer refuses", layers: []guard.Middleware{httpapi.Problems(), guard.Limit(guard.Limits{Payload: 10})},
			payload: sample.HTTP("GET", "/").Bytes(), handler: answers(200), want: "Refusals too_large",
		},
		{
			name: "an error that became a good answer", payload: sample.HTTP("GET", "/").Bytes(),
			handler: guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				layer.SetError(ctx, errors.New("no rates"))
				return []byte(`{"statusCode":200}`), nil
			}),
		},
		{
			name: "a denial of an authorizer", want: "Refusals forbidden",
			handler: guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				layer.SetError(ctx, guard.Errorf(guard.Forbidden, "", ""))
				return []byte(`{"isAuthorized":false}`), nil
			}),
		},
	}
	for status, want := range map[int]string{
		200: "", 204: "", 302: "", 400: "Refusals invalid", 402: "Refusals invalid", 404: "Refusals not_found", 418: "Refusals invalid",
		429: "Refusals too_many_requests", 500: "Faults internal", 501: "Faults internal", 503: "Faults unavailable", 504: "Faults timeout",
	} {
		tests = append(tests, test{name: http.StatusText(status), handler: answers(status), payload: sample.HTTP("GET", "/").Bytes(), want: want})
	}
	for _, c := range tests {
		var w buffer
		h := guard.Wrap(c.handler, append([]guard.Middleware{metrics.Default(metrics.New(&w, "Shop", metrics.Dimensions()))}, c.layers...)...)
		warm(t, h, &w)
		payload := c.payload
		if payload == nil {
			payload = []byte(`{}`)
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = h.Invoke(t.Context(), payload)
		}()
		got := ""
		all := read(t, w.String())
		for _, d := range all {
			for _, name := range []string{"Faults", "Refusals"} {
				if d.sum(name) > 0 {
					got += name + " " + d.dimensions["Kind"]
				}
			}
		}
		documents := 1
		if c.want != "" {
			documents = 2
		}
		if got != c.want || len(all) != documents || w.calls != documents {
			t.Errorf("%s: got %q in %d documents, want %q in %d", c.name, got, len(all), c.want, documents)
		}
	}
}

// fake is a meter that is no EMF.
type fake struct {
	mu  sync.Mutex
	all map[string]float64
	err error
}

func (f *fake) Measure(_ context.Context, m ...metrics.Measurement) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]float64{}
	}
	for _, one := range m {
		f.all[one.Name] += one.Value
	}
	return f.err
}

func TestAnyMeterMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer, inner fake
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(time.Millisecond)
			return nil, errors.Join(metrics.AddMetadata(ctx, "a", "b"), metrics.Add(ctx, "Placed", metrics.Count, 2))
		}), metrics.Default(&outer), metrics.Default(&inner))
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{"ColdStart": 1, "Invocations": 1, "Duration": 1}
		if !maps.Equal(outer.all, want) {
			t.Errorf("got %v, want %v", outer.all, want)
		}
		if want["Placed"] = 2; !maps.Equal(inner.all, want) {
			t.Errorf("got %v of the inner one, want %v", inner.all, want)
		}
	})
}

func TestWhatAMeterRefusesIsLogged(t *testing.T) {
	var log strings.Builder
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }),
		metrics.Default(&fake{err: guard.Reason("no more instruments")}), guard.Default(logging.New(&log)))
	if out, err := h.Invoke(t.Context(), nil); err != nil || string(out) != "{}" {
		t.Errorf("got %s, %v, want the answer", out, err)
	}
	if got := strings.Count(log.String(), "no more instruments"); got != 1 {
		t.Errorf("got %s, want one record of the error", log.String())
	}
}

func TestTheOrderIsWarnedOf(t *testing.T) {
	emf := metrics.New(new(buffer), "Shop")
	for _, c := range []struct {
		name   string
		layers func(log guard.Middleware) []guard.Middleware
		want   []string
	}{
		{name: "right", layers: func(log guard.Middleware) []guard.Middleware {
			return []guard.Middleware{metrics.Default(emf), log, guard.Errors(), guard.Recover(), guard.Limit(guard.Limits{})}
		}},
		{name: "inside the log", layers: func(log guard.Middleware) []guard.Middleware {
			return []guard.Middleware{log, metrics.Default(emf), guard.Errors(), guard.Recover()}
		}},
		{name: "inside all", layers: func(log guard.Middleware) []guard.Middleware {
			return []guard.Middleware{log, guard.Errors(), guard.Recover(), guard.Limit(guard.Limits{}), metrics.Default(emf)}
		}, want: []string{"guard.Errors", "guard.Limit", "guard.Recover"}},
		{name: "inside Problems", layers: func(log guard.Middleware) []guard.Middleware {
			return []guard.Middleware{log, httpapi.Problems(), metrics.Default(emf), metrics.Emit(emf)}
		}, want: []string{"httpapi.Problems"}},
	} {
		var log strings.Builder
		h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }),
			c.layers(guard.Log(logging.New(&log)))...)
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(log.String()) {
			if _, rest, ok := strings.Cut(line, `"guard: `); ok && strings.Contains(line, "stands outside metrics.Default") {
				name, _, _ := strings.Cut(rest, " ")
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v in %s", c.name, got, c.want, log.String())
		}
	}
}
