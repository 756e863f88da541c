package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

const panicMarker = "s3cr3t"

// hostile is a value that shows its secret however it is printed, and panics
// when it is asked for a text.
type hostile struct{ Secret string }

func (h hostile) Error() string  { panic(h.Secret) }
func (h hostile) String() string { panic(h.Secret) }

var panics = []struct {
	rule  string
	do    func()
	cause string
}{
	{rule: "a string", do: func() { panic(panicMarker) }, cause: "the handler panicked with a string"},
	{rule: "an error", do: func() { panic(errors.New(panicMarker)) }, cause: "the handler panicked with a *errors.errorString"},
	{
		rule:  "a guard.Error",
		do:    func() { panic(guard.Errorf(guard.Forbidden, panicMarker, panicMarker)) },
		cause: "the handler panicked with a *guard.Error",
	},
	{
		rule: "a value that panics when printed",
		do: func() {
			panic(hostile{
				Secret: panicMarker,
			})
		},
		cause: "the handler panicked with a guard_test.hostile",
	},
	{rule: "nil", do: func() { panic(nil) }, cause: "the handler panicked: panic called with nil argument"},
	{
		rule:  "a write to a nil map",
		do:    func() { map[string]map[string]int{}["x"][panicMarker] = 1 },
		cause: "the handler panicked: assignment to entry in nil map",
	},
	{
		rule:  "an index out of range",
		do:    func() { _ = []int{1}[len(panicMarker)] },
		cause: "the handler panicked: runtime error: index out of range [6] with length 1",
	},
	{
		rule:  "a wrong type",
		do:    func() { var v any = panicMarker; _ = v.(int) },
		cause: "the handler panicked: interface conversion: interface {} is string, not int",
	},
	{
		rule:  "http.ErrAbortHandler",
		do:    func() { panic(http.ErrAbortHandler) },
		cause: "the handler panicked with a *errors.errorString",
	},
	{
		rule:  "a runtime.Error of one's own",
		do:    func() { panic(ownRuntimeError{}) },
		cause: "the handler panicked with a guard_test.ownRuntimeError",
	},
}

// SECURITY: The process lives.
func TestAPanicIsOneAnswerAndTheProcessLives(t *testing.T) {
	for _, tc := range panics {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			calls := 0
			h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
				if calls++; calls == 1 {
					tc.do()
				}
				return []byte("alive"), nil
			}), guard.Log(log), guard.Errors(), guard.Recover())

			out, err := h.Invoke(invocation(t.Context(), "r-1"), nil)
			got := posted(t, err)
			if got.Type != "panic" || got.Message != "Internal error (request r-1)" || got.ShouldExit || got.StackTrace != nil || out != nil {
				t.Errorf("%q, %+v", out, got)
			}
			record := book.Only(t)
			shown := record["error"].(map[string]any)
			if record["level"] != "ERROR" || shown["kind"] != "internal" || shown["code"] != "panic" || shown["cause"] != tc.cause {
				t.Errorf("%v", record)
			}
			if stack, _ := shown["stack"].(string); !strings.Contains(stack, "guard_test.") {
				t.Errorf("the stack does not lead to the handler:\n%s", stack)
			}
			if strings.Contains(book.String(), panicMarker) || strings.Contains(err.Error(), panicMarker) {
				t.Errorf("the value shows:\n%s", book)
			}
			if out, err := h.Invoke(t.Context(), nil); string(out) != "alive" || err != nil {
				t.Errorf("afterwards: %s, %v", out, err)
			}
		})
	}
}

func TestPanicked(t *testing.T) {
	_, err := guard.Recover()(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("x") })).Invoke(t.Context(), nil)
	for rule, tc := range map[string]struct {
		err  error
		want bool
	}{
		"a panic":                     {err: err, want: true},
		"a panic, wrapped":            {err: fmt.Errorf("layer: %w", fmt.Errorf("layer: %w", err)), want: true},
		"a panic behind an Error":     {err: guard.Errorf(guard.Timeout, "late", "%w", err), want: true},
		"an error":                    {err: errors.New("x")},
		"an Error with the same code": {err: &guard.Error{Code: "panic"}},
		"none":                        {err: nil, want: false},
	} {
		if got := guard.Panicked(tc.err); got != tc.want {
			t.Errorf("%s: %t", rule, got)
		}
	}
}

func TestRecoverPassesOnWhatReturns(t *testing.T) {
	own := errors.New("own")
	if out, err := guard.Recover()(answers("x", nil)).Invoke(t.Context(), nil); string(out) != "x" || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := guard.Recover()(answers("", own)).Invoke(t.Context(), nil); err != own {
		t.Error(err)
	}
}

// What a deferred function has assigned before the panic is not an answer.
func TestAPanicLeavesNoHalfAnswer(t *testing.T) {
	h := guard.HandlerFunc(func(context.Context, []byte) (out []byte, err error) {
		defer func() { out = []byte("half") }()
		panic("x")
	})
	if out, err := guard.Recover()(h).Invoke(t.Context(), nil); out != nil || err == nil {
		t.Errorf("%s, %v", out, err)
	}
}

// A nil pointer that became an error by accident panics when the layers outside
// of Recover look for an Error in it.
func TestAnErrorThatCannotBeUnwrappedIsAPanic(t *testing.T) {
	for rule, err := range map[string]error{
		"alone":          (*fs.PathError)(nil),
		"wrapped":        fmt.Errorf("open: %w", &guard.Error{Err: errors.Join(io.EOF, (*url.Error)(nil))}),
		"asked with Is":  unaskable{is: true},
		"asked with As":  unaskable{as: true},
		"behind another": fmt.Errorf("%w, %w", io.EOF, unaskable{is: true}),
	} {
		log, book := logbook.New()
		_, got := guard.Wrap(answers("", err), guard.Default(log)).Invoke(invocation(t.Context(), "r-1"), nil)
		if posted := posted(t, got); posted.Type != "panic" || posted.Message != "Internal error (request r-1)" {
			t.Errorf("%s: %+v", rule, posted)
		}
		if record := book.Only(t); record["error"].(map[string]any)["code"] != "panic" {
			t.Errorf("%s: %v", rule, record)
		}
	}
}

// An unaskable error panics when it is asked what it is.
type unaskable struct{ is, as bool }

func (unaskable) Error() string { return "broken" }

func (e unaskable) Is(error) bool {
	if e.is {
		panic("is")
	}
	return false
}

func (e unaskable) As(any) bool {
	if e.as {
		panic("as")
	}
	return false
}

// Go cannot take a Goexit back: it is recorded, and goes on.
func TestAGoexitIsRecordedAndGoesOn(t *testing.T) {
	for rule, layers := range map[string]func(l guard.Middleware) []guard.Middleware{
		"through Recover": func(l guard.Middleware) []guard.Middleware { return []guard.Middleware{l, guard.Recover()} },
		"through Recover twice": func(l guard.Middleware) []guard.Middleware {
			return []guard.Middleware{l, guard.Recover(), guard.Recover()}
		},
		"through all": func(l guard.Middleware) []guard.Middleware {
			return []guard.Middleware{l, guard.Errors(), guard.Recover(), guard.Limit(guard.Limits{})}
		},
	} {
		t.Run(rule, func(t *testing.T) {
			log, book := logbook.New()
			exits := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
				runtime.Goexit()
				return nil, nil
			})
			returned := false
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = guard.Wrap(exits, layers(guard.Log(log))...).Invoke(t.Context(), nil)
				returned = true
			}()
			<-done
			if returned {
				t.Error("the goroutine went on")
			}
			failure := book.Only(t)["error"].(map[string]any)
			stack, _ := failure["stack"].(string)
			if failure["code"] != "panic" || failure["cause"] != "the handler called runtime.Goexit" || !strings.Contains(stack, "TestAGoexit") {
				t.Errorf("got %v", failure)
			}
		})
	}
}

// ownRuntimeError says that it is the runtime's, and has a text of its own.
type ownRuntimeError struct{}

func (ownRuntimeError) RuntimeError() {}
func (ownRuntimeError) Error() string { return panicMarker }

// What reports panics to a service finds the value and the stack.
func TestAPanicErrorIsFoundInTheChain(t *testing.T) {
	_, err := guard.Recover()(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(panicMarker) })).Invoke(t.Context(), nil)
	var p *guard.PanicError
	if !errors.As(fmt.Errorf("layer: %w", err), &p) {
		t.Fatalf("no PanicError in %v", err)
	}
	if p.Value() != panicMarker || !strings.Contains(string(p.Stack()), "TestAPanicErrorIsFound") {
		t.Errorf("value %v, stack %s", p.Value(), p.Stack())
	}
	if got, want := p.Error(), "the handler panicked with a string"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Recover costs a deferred function and nothing else.
func TestRecoverAllocatesNothing(t *testing.T) {
	h := guard.Recover()(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }))
	var n float64
	_, err := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		n = testing.AllocsPerRun(100, func() { _, _ = h.Invoke(ctx, nil) })
		return nil, nil
	})).Invoke(t.Context(), nil)
	if err != nil || n != 0 {
		t.Errorf("got %v allocations, %v, want none", n, err)
	}
}

// Programs can still ask for a panic(nil) that recovers as nil.
//
// SECURITY: Closed when broken.
func TestAPanicWithNilIsNoSuccess(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(nil) })
	for rule, layers := range map[string][]guard.Middleware{
		"recovered":         {guard.Recover()},
		"logged":            {guard.Log(slog.New(slog.DiscardHandler))},
		"recovered, logged": {guard.Log(slog.New(slog.DiscardHandler)), guard.Recover()},
	} {
		t.Run(rule, func(t *testing.T) {
			if _, err := guard.Wrap(h, layers...).Invoke(t.Context(), nil); !guard.Panicked(err) {
				t.Errorf("got error %v, want that of a panic", err)
			}
		})
	}
}

func causeOfPanic() { panic("here") }

func TestAReporterFindsTheStackOfAPanic(t *testing.T) {
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		causeOfPanic()
		return nil, nil
	}), guard.Recover())
	_, err := h.Invoke(t.Context(), nil)
	var traced interface{ StackTrace() []uintptr }
	if !errors.As(err, &traced) {
		t.Fatalf("got %v, want an error with a stack", err)
	}
	var calls []string
	frames := runtime.CallersFrames(traced.StackTrace())
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		calls = append(calls, f.Function)
	}
	// What panicked comes second, behind the panic itself, as in the text of a stack.
	if len(calls) < 3 || calls[0] != "runtime.gopanic" || !strings.HasSuffix(calls[1], "causeOfPanic") {
		t.Errorf("got %q, want the panic and what panicked first", calls)
	}
}
