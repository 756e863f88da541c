package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/handlertrace"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// selfEncoding is a reader that has something to say in JSON, and says it.
type selfEncoding struct{ io.Reader }

func (selfEncoding) MarshalJSON() ([]byte, error) { return []byte(`"json"`), nil }

// notEncodable is a reader that JSON has no form for.
type notEncodable struct {
	io.Reader
	C chan int
}

func TestFuncEncodesAsLambdaDoes(t *testing.T) {
	for rule, value := range map[string]func() any{
		"HTML characters":           func() any { return map[string]string{"<a>": "&\u2028</script>"} },
		"nil":                       func() any { return nil },
		"a nil pointer":             func() any { return (*order)(nil) },
		"a nil slice":               func() any { return []int(nil) },
		"a nil map":                 func() any { return map[string]int(nil) },
		"a string":                  func() any { return "Grüße\x00\xff" },
		"the empty string":          func() any { return "" },
		"a whole number":            func() any { return int64(math.MaxInt64) },
		"a fraction":                func() any { return 1e21 },
		"a small fraction":          func() any { return float32(1e-7) },
		"a boolean":                 func() any { return true },
		"bytes":                     func() any { return []byte("raw") },
		"raw JSON":                  func() any { return json.RawMessage(` {"b" : 1,"a":2} `) },
		"a struct of nothing":       func() any { return struct{}{} },
		"a struct":                  func() any { return order{Role: "<x>", Any: []any{1, nil}} },
		"sorted map keys":           func() any { return map[int]string{2: "b", 10: "c", 1: "a"} },
		"a time":                    func() any { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) },
		"a buffer":                  func() any { return bytes.NewBufferString("<b>\n") },
		"a nil buffer":              func() any { return (*bytes.Buffer)(nil) },
		"a reader":                  func() any { return strings.NewReader("plain\n") },
		"a reader that encodes":     func() any { return selfEncoding{Reader: strings.NewReader("plain")} },
		"a reader JSON cannot hold": func() any { return notEncodable{Reader: strings.NewReader("plain")} },
	} {
		t.Run(rule, func(t *testing.T) {
			want, err := lambda.NewHandler(func() (any, error) { return value(), nil }).Invoke(t.Context(), []byte(`{}`))
			if err != nil {
				t.Fatal(err)
			}
			h := guard.Func(func(context.Context, struct{}) (any, error) { return value(), nil })
			got, err := h.Invoke(t.Context(), []byte(`{}`))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q, %v, lambda.NewHandler writes %q", got, err, want)
			}
		})
	}
}

func TestFuncWritesStaticTypes(t *testing.T) {
	empty := guard.Func(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	if out, err := empty.Invoke(t.Context(), nil); string(out) != `{}` || err != nil {
		t.Errorf("%s, %v", out, err)
	}
	reader := guard.Func(func(context.Context, struct{}) (io.Reader, error) { return strings.NewReader("x"), nil })
	if out, err := reader.Invoke(t.Context(), nil); string(out) != `x` || err != nil {
		t.Errorf("%s, %v", out, err)
	}
}

func TestFuncPassesTheHandlersErrorOn(t *testing.T) {
	own := errors.New("own")
	h := guard.Func(func(context.Context, struct{}) (string, error) { return "ignored", own })
	if out, err := h.Invoke(t.Context(), nil); out != nil || err != own {
		t.Errorf("%s, %v", out, err)
	}
}

func TestFuncAnswersThatCannotBeWritten(t *testing.T) {
	broken := errors.New("broken")
	for rule, tc := range map[string]struct {
		value any
		code  string
		cause error
	}{
		"no form in JSON":      {value: func() {}, code: "response_not_json"},
		"infinity":             {value: math.Inf(1), code: "response_not_json"},
		"a reader that breaks": {value: iotest.ErrReader(broken), code: "internal", cause: broken},
	} {
		h := guard.Func(func(context.Context, struct{}) (any, error) { return tc.value, nil })
		out, err := h.Invoke(t.Context(), nil)
		wantError(t, err, guard.Internal, tc.code)
		if out != nil || tc.cause != nil && !errors.Is(err, tc.cause) {
			t.Errorf("%s: %q, %v", rule, out, err)
		}
	}
}

type closing struct {
	content io.Reader
	closed  int
}

func (c *closing) Read(p []byte) (int, error) { return c.content.Read(p) }
func (c *closing) Close() error               { c.closed++; return nil }

func TestFuncClosesAReaderOnce(t *testing.T) {
	for _, content := range []io.Reader{strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)} {
		answer := &closing{content: content}
		_, _ = guard.Func(func(context.Context, struct{}) (any, error) { return answer, nil }).Invoke(t.Context(), nil)
		if answer.closed != 1 {
			t.Errorf("%T: closed %d times", content, answer.closed)
		}
	}
}

func TestFuncReads(t *testing.T) {
	t.Run("an object", reads[map[string]int](`{"a":1,"b":2}`))
	t.Run("an array", reads[[]line](`[{"sku":"a","quantity":1},{}]`))
	t.Run("a string", reads[string](`"caf\u00e9"`))
	t.Run("a number", reads[float64](`-0.0`))
	t.Run("bytes", reads[[]byte](`"cmF3"`))
	t.Run("anything", reads[any](`{"a":[1,1.5,"x",null,true]}`))
	t.Run("a null for anything", reads[any](`null`))
	t.Run("a null for a pointer", reads[*order](`null`))
	t.Run("an object for a pointer", reads[*order](`{"role":"x","lines":null}`))
	t.Run("raw JSON as it came", reads[json.RawMessage](`{ "b" : [ 1.0 , "\u00e9" ],"A":2,"a":{} }`))
	t.Run("raw JSON with space around", reads[json.RawMessage](" \n[1] "))
	t.Run("a time", reads[time.Time](`"2026-01-02T03:04:05Z"`))
}

func reads[T any](text string) func(t *testing.T) {
	return func(t *testing.T) { as[T](t, []byte(text)) }
}

func TestFuncOfNothingTakesAnyEvent(t *testing.T) {
	calls := 0
	h := guard.Func(func(context.Context, struct{}) (any, error) { calls++; return nil, nil })
	events := []string{``, `{}`, `null`, `{"a":1,"a":2}`, "\xff", strings.Repeat("[", 1000)}
	for _, event := range events {
		if out, err := h.Invoke(t.Context(), []byte(event)); string(out) != `null` || err != nil {
			t.Errorf("%.20q: %s, %v", event, out, err)
		}
	}
	if calls != len(events) {
		t.Errorf("%d calls", calls)
	}
}

func TestFuncKeepsNothingOfThePayloadsMemory(t *testing.T) {
	text := []byte(`{"a":"before","b":[1]}`)
	var raw json.RawMessage
	if _, err := guard.Func(func(_ context.Context, in json.RawMessage) (any, error) { raw = in; return nil, nil }).Invoke(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(raw)
	clear(text) // as the runtime does when the next event arrives
	if !reflect.DeepEqual([]byte(raw), want) {
		t.Errorf("the handler's value has become %q", raw)
	}
}

// A type that no caller can send right is the function's mistake.
func TestFuncPanicsForATypeThatCannotBeDecoded(t *testing.T) {
	type options struct {
		Notify func() `json:"notify"`
	}
	type request struct {
		Options []options `json:"options"`
	}
	defer func() {
		got, _ := recover().(string)
		if want := "guard: Func: cannot decode JSON into guard_test.options.Notify: func() has no form in JSON"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}()
	guard.Func(func(context.Context, request) (any, error) { return nil, nil })
	t.Error("it did not panic")
}

func TestFuncWritesJSONNumbers(t *testing.T) {
	type payment struct {
		Amount json.Number `json:"amount"`
	}
	as[payment](t, []byte(`{"amount":1.50}`))
	_, err := guard.Func(func(_ context.Context, in payment) (any, error) { return in, nil }).Invoke(t.Context(), []byte(`{"amount":"1; DROP TABLE t"}`))
	wantViolation(t, err, guard.Invalid, "wrong_type", "/amount")
}

// mostAnswer is what Lambda takes from a function, in bytes.
const mostAnswer = 6<<20 + 100

// endless is a reader that goes on for as long as a test may take.
type endless struct{ taken, closed int }

func (e *endless) Read(p []byte) (int, error) {
	if e.taken > 8*mostAnswer {
		return 0, io.EOF
	}
	e.taken += len(p)
	return len(p), nil
}

func (e *endless) Close() error { e.closed++; return nil }

// The runtime is told 413 for a larger answer, and exits with all invocations
// that it serves.
func TestFuncBoundsTheAnswer(t *testing.T) {
	text := strings.Repeat("x", mostAnswer)
	for _, tc := range []struct {
		rule  string
		value any
		size  int // of the answer, 0 is too large
	}{
		{rule: "as much as Lambda takes", value: text[2:], size: mostAnswer}, // two quotes
		{rule: "a byte more", value: text[1:]},
		{rule: "a reader of as much", value: strings.NewReader(text), size: mostAnswer},
		{rule: "a reader of a byte more", value: strings.NewReader(text + "x")},
		{rule: "a buffer of a byte more", value: bytes.NewBufferString(text + "x")},
		{rule: "a raw text of a byte more", value: json.RawMessage(`"` + text[1:] + `"`)},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			h := guard.Wrap(guard.Func(func(context.Context, struct{}) (any, error) { return tc.value, nil }), guard.Log(log))
			out, err := h.Invoke(t.Context(), nil)
			if tc.size > 0 {
				if len(out) != tc.size || err != nil {
					t.Errorf("got %d bytes, %v, want %d", len(out), err, tc.size)
				}
				return
			}
			wantError(t, err, guard.Internal, "response_too_large")
			if record := book.Only(t); out != nil || record["level"] != "ERROR" {
				t.Errorf("got %d bytes and the record %v, want none and an error", len(out), record)
			}
		})
	}
	t.Run("a reader without end", func(t *testing.T) {
		answer := &endless{}
		_, err := guard.Func(func(context.Context, struct{}) (io.Reader, error) { return answer, nil }).Invoke(t.Context(), nil)
		wantError(t, err, guard.Internal, "response_too_large")
		if answer.taken > 4*mostAnswer || answer.closed != 1 {
			t.Errorf("%d bytes taken, closed %d times", answer.taken, answer.closed)
		}
	})
}

// Callbacks are called in the same order with the same values as by aws-lambda-go.
func TestFuncCallsTheHandlerTrace(t *testing.T) {
	own := errors.New("own")
	for _, tc := range []struct {
		rule, event string
		err         error
	}{
		{rule: "an answer", event: `{"role":"user"}`},
		{rule: "an error", event: `{"role":"user"}`, err: own},
		{rule: "an event that is no JSON", event: `{`},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			fn := func(_ context.Context, in order) (*answer, error) { return &answer{Status: in.Role}, tc.err }
			got := traceCalls(t, guard.Func(fn), tc.event)
			if want := traceCalls(t, lambda.NewHandler(fn), tc.event); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	t.Run("of nothing", func(t *testing.T) {
		fn := func(context.Context, struct{}) (any, error) { return nil, nil }
		if got, want := traceCalls(t, guard.Func(fn), `{}`), traceCalls(t, lambda.NewHandler(fn), `{}`); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// traceCalls is what the callbacks of a context are given.
func traceCalls(t *testing.T, h lambda.Handler, event string) (calls []any) {
	t.Helper()
	note := func(name string) func(context.Context, any) {
		return func(ctx context.Context, event any) {
			if ctx.Value(traceKey{}) != "kept" {
				t.Errorf("%s gets another context", name)
			}
			calls = append(calls, name, event)
		}
	}
	ctx := context.WithValue(t.Context(), traceKey{}, "kept")
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{RequestEvent: note("request")})
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{RequestEvent: note("second request"), ResponseEvent: note("response")})
	_, _ = h.Invoke(ctx, []byte(event))
	return calls
}

type traceKey struct{}
