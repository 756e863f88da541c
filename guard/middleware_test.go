package guard_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// tracing notes the way in and out of a layer.
func tracing(way *[]string, name string) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			*way = append(*way, "into "+name)
			defer func() { *way = append(*way, "out of "+name) }()
			return next.Invoke(ctx, payload)
		})
	}
}

func TestTheFirstLayerIsOutermost(t *testing.T) {
	want := []string{"into a", "into b", "into c", "out of c", "out of b", "out of a"}
	var way []string
	a, b, c := tracing(&way, "a"), tracing(&way, "b"), tracing(&way, "c")
	for name, h := range map[string]lambda.Handler{
		"Wrap":             guard.Wrap(answers(`1`, nil), a, b, c),
		"Chain":            guard.Chain(a, b, c)(answers(`1`, nil)),
		"Chain of Chain":   guard.Chain(guard.Chain(a, b), c)(answers(`1`, nil)),
		"Wrap of Wrap":     guard.Wrap(guard.Wrap(answers(`1`, nil), b, c), a),
		"nil among layers": guard.Wrap(answers(`1`, nil), nil, a, nil, b, c, nil),
	} {
		way = nil
		out, err := h.Invoke(t.Context(), nil)
		if string(out) != `1` || err != nil || !slices.Equal(way, want) {
			t.Errorf("%s: %s, %v by %v", name, out, err, way)
		}
	}
}

func TestChainOfNothingIsTheHandlerItself(t *testing.T) {
	h := &counter{}
	if got := guard.Chain(nil, nil)(h); got != lambda.Handler(h) {
		t.Errorf("%T", got)
	}
}

type counter struct{ calls int }

func (c *counter) Invoke(context.Context, []byte) ([]byte, error) {
	c.calls++
	return nil, nil
}

func TestALayerMayAnswerWithoutTheHandler(t *testing.T) {
	h := &counter{}
	deny := func(lambda.Handler) lambda.Handler { return answers("", guard.Errorf(guard.Forbidden, "no", "")) }
	_, err := guard.Wrap(h, deny).Invoke(t.Context(), nil)
	if wantError(t, err, guard.Forbidden, "no"); h.calls != 0 {
		t.Error("the handler was called")
	}
}

func TestMisconfigurationPanicsAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		build func()
		want  string
	}{
		"Wrap of nil":         {build: func() { guard.Wrap(nil) }, want: "guard: Wrap of a nil handler"},
		"Func of nil":         {build: func() { guard.Func[int, int](nil) }, want: "guard: Func of a nil function"},
		"Log to nil":          {build: func() { guard.Log(nil) }, want: "guard: Log with a nil logger"},
		"Default to nil":      {build: func() { guard.Default(nil) }, want: "guard: Log with a nil logger"},
		"a negative Deadline": {build: func() { guard.Deadline(-1) }, want: "guard: Deadline with a negative reserve"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != tc.want {
					t.Errorf("panic %v, want %s", got, tc.want)
				}
			}()
			tc.build()
		})
	}
}

// The Invoke of a handler that aws-lambda-go made returns the buffer of its answer
// away before it returns.
func TestAnswersOfNewHandlerAreTheCallersOwn(t *testing.T) {
	kept := func(next lambda.Handler) lambda.Handler { // longer than it should have to
		var first []byte
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if first == nil {
				first = out
			}
			return first, err
		})
	}
	echo := func(text string) (string, error) { return text, nil }
	h := guard.Wrap(lambda.NewHandler(echo), kept)
	for range 100 {
		for _, text := range []string{`"first"`, `"later"`} {
			if out, err := h.Invoke(t.Context(), []byte(text)); err != nil || string(out) != `"first"` {
				t.Fatalf("%s, %v", out, err)
			}
		}
	}
	together := guard.Wrap(lambda.NewHandler(echo), guard.Recover())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			want := fmt.Sprintf(`"answer %d"`, i)
			for range 500 {
				if out, err := together.Invoke(t.Context(), []byte(want)); err != nil || string(out) != want {
					t.Errorf("%s, %v, want %s", out, err, want)
				}
			}
		})
	}
	all.Wait()
}
