package guard_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// doing is a handler that does something with its context and answers an error.
func doing(do func(context.Context), err error) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		do(ctx)
		return []byte(`{}`), err
	})
}

func TestCorrelate(t *testing.T) {
	longest := strings.Repeat("x", 128)
	for _, tc := range []struct{ rule, found, want string }{
		{rule: "an id", found: "order-4711/a:b", want: "order-4711/a:b"},
		{rule: "none"},
		{rule: "as long as allowed", found: longest, want: longest},
		{rule: "one byte more", found: longest + "x"},
		{rule: "a space", found: "a b"},
		{rule: "a line break", found: "a\nb"},
		{rule: "a control character", found: "a\x7f"},
		{rule: "not ASCII", found: "größe"},
		{rule: "invalid UTF-8", found: "a\xff"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			find := func(_ context.Context, ev *guard.Event) string {
				if ev.Trigger() != guard.HTTPAPI {
					t.Errorf("the event is not there: %s", ev.Raw())
				}
				return tc.found
			}
			h := doing(func(ctx context.Context) {
				log.WithGroup("g").InfoContext(ctx, "m", "a", 1)
				if got := guard.CorrelationID(ctx); got != tc.want {
					t.Errorf("in the handler: %q", got)
				}
			}, nil)
			if _, err := guard.Wrap(h, guard.Log(log, guard.Correlate(find))).Invoke(t.Context(), httpEvent("", false)); err != nil {
				t.Fatal(err)
			}
			for _, record := range book.Records(t) {
				if got, _ := record["correlationId"].(string); got != tc.want {
					t.Errorf("%v", record)
				}
			}
		})
	}
	if got := guard.CorrelationID(t.Context()); got != "" {
		t.Errorf("outside an invocation: %q", got)
	}
}

func TestUnsafePayload(t *testing.T) {
	payload := httpEvent(`{"password":"s3cr3t"}`, false)
	log, book := logbook.New()
	if _, err := guard.Wrap(answers("", nil), guard.Log(log, guard.UnsafePayload())).Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if got := book.Only(t)["payload"]; got != string(payload) {
		t.Errorf("%v", got)
	}
}

func TestUnsafeErrorTextsShowTheValueOfAPanic(t *testing.T) {
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(errors.New("value 42")) })
	for unsafe, want := range map[bool]string{
		false: "the handler panicked with a *errors.errorString",
		true:  "panic: the handler panicked with a *errors.errorString: value 42",
	} {
		var opts []guard.LogOption
		if unsafe {
			opts = append(opts, guard.UnsafeErrorTexts())
		}
		log, book := logbook.New()
		_, _ = guard.Wrap(h, guard.Log(log, opts...), guard.Recover()).Invoke(t.Context(), nil)
		if got := book.Only(t)["error"].(map[string]any)["cause"]; got != want {
			t.Errorf("got cause %v, want %s", got, want)
		}
	}
}

func TestLogOptionsThatMakeNoSense(t *testing.T) {
	for rule, build := range map[string]func(){
		"a nil function":     func() { guard.Correlate(nil) },
		"a nil *slog.Logger": func() { guard.Log(nil) },
	} {
		t.Run(rule, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "guard: ") {
					t.Errorf("got a panic with %q, want one of package guard", text)
				}
			}()
			build()
		})
	}
}

// A wrapper that hides what is inside it does not hide the order of its layers.
func TestAnUnwiseOrderBehindAForeignWrapperIsWarnedOf(t *testing.T) {
	log, book := logbook.New()
	foreign := func(next lambda.Handler) lambda.Handler { return guard.HandlerFunc(next.Invoke) }
	h := guard.Wrap(answers("", nil), foreign, guard.Log(log), guard.Limit(guard.Limits{}), guard.Recover())
	for range 2 {
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	want := "guard: guard.Limit stands outside guard.Recover: a panic while it reads would end the process; list guard.Recover before guard.Limit invocation invocation"
	if got := book.Messages(t); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type wrapped struct{ slog.Value }

func (w wrapped) LogValue() slog.Value { return w.Value }

// SECURITY: Nothing leaks.
func TestAnErrorThatIsAddedIsDescribedAndNotQuoted(t *testing.T) {
	failure := slog.Any("failure", errors.New("s3cr3t"))
	for rule, added := range map[string]slog.Attr{
		"alone":                 failure,
		"in a group":            slog.Group("g", slog.Group("inner", failure)),
		"in a LogValue":         slog.Any("g", wrapped{slog.GroupValue(failure)}),
		"in a group's LogValue": slog.Group("g", slog.Any("inner", wrapped{failure.Value})),
	} {
		t.Run(rule, func(t *testing.T) {
			log, book := logbook.New()
			h := guard.Wrap(doing(func(ctx context.Context) { guard.AddAttrs(ctx, added) }, io.EOF), guard.Log(log))
			_, _ = h.Invoke(t.Context(), nil)
			if got := book.String(); !strings.Contains(got, `"*errors.errorString"`) || strings.Contains(got, "s3cr3t") {
				t.Errorf("got %s, want the type of the error and not its text", got)
			}
			if _, ok := book.Only(t)["error"].(map[string]any)["violations"]; ok {
				t.Errorf("got violations in %s, want none", book.String())
			}
		})
	}
}
