package guard_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/guard"
)

// A run is what came of one invocation under a Deadline of 300 ms, by the
// clock of a synctest bubble.
type run struct {
	out  string
	err  error
	took time.Duration
}

// within runs h with a second, and the layer reserves 300 ms.
func within(t *testing.T, h lambda.Handler, opts ...guard.DeadlineOption) run {
	t.Helper()
	var r run
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		out, err := guard.Wrap(h, guard.Deadline(300*time.Millisecond, opts...)).Invoke(ctx, nil)
		r = run{out: string(out), err: err, took: time.Since(start)}
	})
	return r
}

// ignoring is a handler that takes its time, whatever its context says.
func ignoring(d time.Duration, out string, err error) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		time.Sleep(d)
		return []byte(out), err
	})
}

var heeding = guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
})

// SECURITY: Waited for.
func TestDeadline(t *testing.T) {
	own := errors.New("own")
	forPlatform := messages.InvokeResponse_Error{Type: "own", Message: "own"}
	for _, tc := range []struct {
		rule string
		h    lambda.Handler
		opts []guard.DeadlineOption
		took time.Duration
		out  string
		kind guard.Kind // Internal, the zero value, is no error
	}{
		{
			rule: "a handler in time keeps its answer",
			h:    ignoring(600*time.Millisecond, "x", nil),
			took: 600 * time.Millisecond,
			out:  "x",
			kind: guard.Internal,
		},
		{
			rule: "a handler that heeds its context ends reserve before Lambda's deadline",
			h:    heeding,
			took: 700 * time.Millisecond,
			kind: guard.Timeout,
		},
		{
			rule: "a handler that does not is waited for",
			h:    ignoring(5*time.Second, "late", nil),
			took: 5 * time.Second,
			kind: guard.Timeout,
		},
		{
			rule: "a late error is a Timeout",
			h:    ignoring(800*time.Millisecond, "", own),
			took: 800 * time.Millisecond,
			kind: guard.Timeout,
		},
		{
			rule: "so is one for the platform",
			h:    ignoring(800*time.Millisecond, "", forPlatform),
			took: 800 * time.Millisecond,
			kind: guard.Timeout,
		},
		{
			rule: "a late answer may be kept",
			h:    ignoring(800*time.Millisecond, "late", nil),
			opts: []guard.DeadlineOption{guard.KeepLateAnswers()},
			took: 800 * time.Millisecond,
			out:  "late",
			kind: guard.Internal,
		},
		{
			rule: "a late error may not",
			h:    ignoring(800*time.Millisecond, "", own),
			opts: []guard.DeadlineOption{guard.KeepLateAnswers()},
			took: 800 * time.Millisecond,
			kind: guard.Timeout,
		},
		{
			rule: "too little left is not begun with",
			h:    ignoring(time.Hour, "x", nil),
			opts: []guard.DeadlineOption{guard.MinRemaining(701 * time.Millisecond)},
			kind: guard.Unavailable,
		},
		{
			rule: "just enough is",
			h:    ignoring(0, "x", nil),
			opts: []guard.DeadlineOption{guard.MinRemaining(700 * time.Millisecond)},
			out:  "x",
			kind: guard.Internal,
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			got := within(t, tc.h, tc.opts...)
			if got.out != tc.out || got.took != tc.took {
				t.Errorf("%q after %v, want %q after %v", got.out, got.took, tc.out, tc.took)
			}
			switch tc.kind {
			case guard.Internal:
				if got.err != nil {
					t.Error(got.err)
				}
			case guard.Timeout:
				wantError(t, got.err, guard.Timeout, "timeout")
			case guard.Unavailable:
				wantError(t, got.err, guard.Unavailable, "no_time_left")
			}
		})
	}
}

func TestAnErrorInTimeIsPassedOnAsItIs(t *testing.T) {
	own := errors.New("own")
	if got := within(t, ignoring(0, "", own)); got.err != own {
		t.Error(got.err)
	}
}

func TestATimeoutKeepsWhatTheHandlerSaid(t *testing.T) {
	own := errors.New("own")
	if got := within(t, ignoring(time.Second, "", own)); !errors.Is(got.err, own) {
		t.Error(got.err)
	}
}

func TestAPanicAfterTheDeadlineStaysAPanic(t *testing.T) {
	late := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		time.Sleep(time.Second)
		panic("late")
	})
	got := within(t, guard.Recover()(late))
	wantError(t, got.err, guard.Internal, "panic")
	if !guard.Panicked(got.err) {
		t.Error(got.err)
	}
}

func TestATimeoutWinsOverAnErrorForThePlatform(t *testing.T) {
	late := ignoring(2*time.Second, "", messages.InvokeResponse_Error{Type: "own", Message: "own"})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := guard.Wrap(late, guard.Errors(), guard.Deadline(0)).Invoke(ctx, nil)
		if got := posted(t, err); got.Type != "timeout" {
			t.Errorf("%+v", got)
		}
	})
}

func TestACancelledCallerIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		_, err := guard.Deadline(0)(heeding).Invoke(ctx, nil)
		if !errors.Is(err, context.Canceled) || guard.KindOf(err) == guard.Timeout {
			t.Error(err)
		}
	})
}

func TestADeadlineThatHasPassedIsNotBegunWith(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	h := &counter{}
	_, err := guard.Deadline(0)(h).Invoke(ctx, nil)
	if wantError(t, err, guard.Unavailable, "no_time_left"); h.calls != 0 {
		t.Error("the handler was called")
	}
}

// Emulators send no deadline or 0; aws-lambda-go makes of 0 a context that is
// done before the handler starts.
func TestWithoutADeadlineTheHandlerHasNoLimitOfTime(t *testing.T) {
	epoch, cancel := context.WithDeadline(invocation(t.Context(), "kept"), time.UnixMilli(0))
	defer cancel()
	for rule, ctx := range map[string]context.Context{"none": invocation(t.Context(), "kept"), "the beginning of time": epoch} {
		called := false
		h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			called = true
			if end, ok := ctx.Deadline(); ok {
				t.Errorf("%s: a deadline at %v", rule, end)
			}
			if ctx.Err() != nil || guard.TraceID(ctx) == "" {
				t.Errorf("%s: %v, trace id %q", rule, ctx.Err(), guard.TraceID(ctx))
			}
			return nil, nil
		})
		if _, err := guard.Wrap(h, guard.Deadline(time.Minute)).Invoke(ctx, nil); err != nil || !called {
			t.Errorf("%s: called %t, %v", rule, called, err)
		}
	}
}

func TestAContextWithoutADeadlineCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { return nil, ctx.Err() }), guard.Deadline(time.Second))
	if _, err := h.Invoke(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
