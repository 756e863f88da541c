package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

func passes(next lambda.Handler) lambda.Handler { return guard.HandlerFunc(next.Invoke) }

func TestTheHooksOfAChainAreCalledInTheOrderListed(t *testing.T) {
	var called []string
	hook := func(name string) guard.Middleware {
		return guard.OnRestore(func() { called = append(called, name) })
	}
	h, shared := answers(`{}`, nil), hook("shared")
	tests := []struct {
		name string
		h    lambda.Handler
		want []string
	}{
		{name: "no hook", h: guard.Wrap(h, guard.Recover())},
		{name: "between layers", h: guard.Wrap(h, hook("a"), guard.Recover(), hook("b"), guard.Errors(), hook("c")), want: []string{"a", "b", "c"}},
		{name: "in one layer", h: guard.Wrap(h, guard.OnRestore(
			func() { called = append(called, "a") }, func() { called = append(called, "b") })), want: []string{"a", "b"}},
		{name: "with a context", h: guard.Wrap(h, guard.OnRestore(func(ctx context.Context) error {
			called = append(called, fmt.Sprint(ctx.Value(callerKey{})))
			return nil
		})), want: []string{"the test"}},
		{name: "inside a third party's layer", h: guard.Wrap(h, hook("a"), passes, passes, hook("b")), want: []string{"a", "b"}},
		{name: "in a chain", h: guard.Wrap(h, guard.Chain(hook("a"), guard.Chain(nil, hook("b"))), hook("c")), want: []string{"a", "b", "c"}},
		{name: "in a handler that is wrapped again", h: guard.Wrap(guard.Wrap(h, hook("b")), hook("a")), want: []string{"a", "b"}},
		{name: "one for several handlers", h: guard.Wrap(guard.Wrap(h, shared, hook("a")), shared), want: []string{"shared", "a"}},
		{name: "in routes", h: guard.Wrap(httpapi.Routes(map[string]lambda.Handler{
			"GET /a": guard.Wrap(h, shared, hook("a")), "POST /orders": guard.Wrap(h, shared, hook("b")),
		}), hook("c")), want: []string{"c", "shared", "a", "b"}},
		{name: "inside a layer that wraps what it calls", h: guard.Wrap(h, hook("a"), func(next lambda.Handler) lambda.Handler {
			return guard.Wrap(guard.HandlerFunc(next.Invoke), hook("b"))
		}, hook("c")), want: []string{"a", "b", "c"}},
		{name: "inside a layer's name", h: guard.Wrap(h, layer.Named("mine", guard.Chain(hook("a"), passes)), hook("b")), want: []string{"a", "b"}},
		{name: "of the handler that is named", h: guard.Wrap(layer.NamedHandler("mine", guard.Wrap(h, hook("a")))), want: []string{"a"}},
		{name: "in a named handler", h: guard.Wrap(layer.NamedHandler("mine", h, guard.Wrap(h, hook("a")))), want: []string{"a"}},
		{name: "hidden by a handler", h: guard.Wrap(guard.HandlerFunc(guard.Wrap(h, hook("a")).Invoke))},
		{name: "of the other kind", h: guard.Wrap(h, guard.OnShutdown(func(context.Context) error { return errors.New("not now") }))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := guardtest.NewInProcess(tt.h, guardtest.Config{})
			for range 2 {
				called = nil
				if err := p.Restore(context.WithValue(t.Context(), callerKey{}, "the test")); err != nil || !slices.Equal(called, tt.want) {
					t.Errorf("got %q and %v, want %q", called, err, tt.want)
				}
			}
			called = nil
			if _, err := p.Invoke(t.Context(), httpEvent(`{}`, false)); err != nil || called != nil {
				t.Errorf("an invocation: got %v and calls of %q, want none", err, called)
			}
		})
	}
}

type callerKey struct{}

func TestTheFirstErrorOfAHookEndsTheRestore(t *testing.T) {
	want := errors.New("no secret")
	p := guardtest.NewInProcess(guard.Wrap(answers(`{}`, nil),
		guard.OnRestore(func(context.Context) error { return want }),
		guard.OnRestore(func() { t.Error("a hook was called after one that has failed") }),
	), guardtest.Config{})
	if err := p.Restore(t.Context()); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestANilHookPanics(t *testing.T) {
	for name, layer := range map[string]func(){
		"OnRestore of a function":                func() { guard.OnRestore[func()](nil) },
		"OnRestore of a function with a context": func() { guard.OnRestore(func(context.Context) error { return nil }, nil) },
		"OnShutdown":                             func() { guard.OnShutdown(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "guard: On") {
					t.Errorf("got the panic %q, want one that names guard and the option", got)
				}
			}()
			layer()
		})
	}
}

// Layers before and after a hook keep their order, and the rules of order hold
// across it.
func TestAHookHidesNoLayer(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "stands outside") {
			t.Errorf("got the panic %q, want the rule of order", got)
		}
	}()
	outer, inner := layer.Named("idempotency.Once", passes), layer.Named("authorizer.Require", passes)
	guard.Wrap(answers(`{}`, nil), outer, guard.OnRestore(func() {}), inner)
}

func TestAHookHidesNoWarning(t *testing.T) {
	outer, inner := layer.Named("idempotency.Once", passes), layer.Named("validate.Body", passes)
	hook := guard.OnRestore(func() {})
	for name, wrong := range map[string]guard.Middleware{
		"before the layers":  guard.Chain(hook, outer, inner),
		"between the layers": guard.Chain(outer, hook, inner),
		"inside a layer that wraps what it calls": guard.Chain(func(next lambda.Handler) lambda.Handler {
			return guard.Wrap(guard.HandlerFunc(next.Invoke), outer, inner)
		}, hook),
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			p := guardtest.NewInProcess(guard.Wrap(answers("{}", nil), guard.Log(slog.New(slog.NewTextHandler(&log, nil))), wrong), guardtest.Config{})
			if _, err := p.Invoke(t.Context(), []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(log.String(), "idempotency.Once stands outside validate.Body") {
				t.Errorf("got the log %s, want the warning", log.String())
			}
		})
	}
}

func TestEachHookThatWasNotCalledRefusesInvocations(t *testing.T) {
	t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
	shared := guard.OnRestore(func() {})
	own := guard.OnRestore(func() {})
	hide := func(layers ...guard.Middleware) lambda.Handler {
		return guard.HandlerFunc(guard.Wrap(answers("{}", nil), layers...).Invoke)
	}
	tests := []struct {
		name    string
		h       lambda.Handler
		refused bool
	}{
		{name: "all are called", h: guard.Wrap(hide(shared), shared)},
		{name: "the second of two is not", h: guard.Wrap(hide(shared, own), shared), refused: true},
		{name: "the first of two is not", h: guard.Wrap(hide(own, shared), shared), refused: true},
		{name: "of the end of the process", h: hide(guard.OnShutdown(func(context.Context) error { return nil }))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := guardtest.NewInProcess(tt.h, guardtest.Config{})
			if err := p.Restore(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Invoke(t.Context(), []byte(`{}`)); (err != nil) != tt.refused {
				t.Errorf("got %v, want a refusal: %t", err, tt.refused)
			}
		})
	}
}
