package layer_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// watch returns a layer that keeps the outcome of the last invocation.
func watch(to *layer.Outcome) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			*to = layer.OutcomeOf(ctx, payload, out, err)
			return out, err
		})
	}
}

func TestTheOutcomeIsWhatTheLogRecords(t *testing.T) {
	broken := errors.New("the table is away")
	routes := httpapi.Routes(map[string]lambda.Handler{
		"GET /orders/{id}": httpapi.Func(func(context.Context, struct{}) (string, error) { return "", broken }),
	})
	direct := guard.Func(func(context.Context, any) (any, error) {
		return nil, guard.Errorf(guard.Conflict, "closed", "The order is closed.")
	})
	quiet := slog.New(slog.DiscardHandler)
	for name, c := range map[string]struct {
		handler lambda.Handler
		event   []byte
		want    layer.Outcome
		code    string
	}{
		"an error that became an answer": {
			handler: guard.Wrap(routes, httpapi.Default(quiet)),
			event:   sample.HTTP("GET", "/orders/7").Bytes(),
			want:    layer.Outcome{Trigger: guard.HTTPAPI, Method: "GET", Route: "GET /orders/{id}", Status: 500},
			code:    "internal",
		},
		"a refusal": {
			handler: guard.Wrap(routes, httpapi.Default(quiet)),
			event:   sample.HTTP("GET", "/nowhere").Bytes(),
			want:    layer.Outcome{Trigger: guard.HTTPAPI, Method: "GET", Route: "$default", Status: 404},
			code:    "not_found",
		},
		"an error for the platform": {
			handler: guard.Wrap(direct, guard.Default(quiet)), event: []byte(`{}`),
			want: layer.Outcome{Trigger: guard.Unknown}, code: "closed",
		},
	} {
		var got layer.Outcome
		_, _ = guard.Wrap(c.handler, watch(&got)).Invoke(t.Context(), c.event)
		if code := guard.Public(got.Err).Code; got.Err == nil || code != c.code {
			t.Errorf("%s: got %v with code %s, want code %s", name, got.Err, code, c.code)
		}
		got.Err = nil
		if got.Trigger != c.want.Trigger || got.Method != c.want.Method || got.Route != c.want.Route || got.Status != c.want.Status {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestEveryRecordHasTheTrace(t *testing.T) {
	const trace, span = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
	for name, c := range map[string]struct {
		trace, span string
		set         bool
	}{
		"valid":      {trace: trace, span: span, set: true},
		"upper case": {trace: strings.ToUpper(trace), span: span},
		"short":      {trace: trace[1:], span: span},
		"zero":       {trace: strings.Repeat("0", 32), span: span},
		"a line":     {trace: trace, span: "53995c3f42cd8a\n8"},
		"none":       {},
	} {
		var log strings.Builder
		logger := logging.New(&log)
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			layer.SetTrace(ctx, c.trace, c.span, true)
			logger.InfoContext(ctx, "placed")
			gotTrace, gotSpan, sampled := layer.Trace(ctx)
			if c.set != (gotTrace == trace && gotSpan == span && sampled) {
				t.Errorf("%s: got %q, %q, %t", name, gotTrace, gotSpan, sampled)
			}
			return nil, nil
		}), guard.Log(logger))
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		want := 0
		if c.set {
			want = 2
		}
		if got := strings.Count(log.String(), `"trace_id":"`+trace+`","span_id":"`+span+`"`); got != want || strings.Count(log.String(), "trace_id") != want {
			t.Errorf("%s: got %s, want %d records with the ids", name, log.String(), want)
		}
	}
}
