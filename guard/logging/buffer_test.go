package logging_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// answering is a layer that makes an answer of status of any error, and tells
// the record so, as httpapi.Problems does.
func answering(status int) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err != nil {
				layer.SetError(ctx, err)
				out = fmt.Appendf(nil, `{"statusCode":%d}`, status)
			}
			return out, nil
		})
	}
}

func TestBufferDebug(t *testing.T) {
	notFound := &guard.Error{Kind: guard.NotFound, Code: "no_order"}
	debug := func(ctx context.Context, log *slog.Logger) {
		log.DebugContext(ctx, "one")
		log.WithGroup("g").Log(ctx, logging.LevelTrace, "two", "a", 1)
	}
	with := func(level slog.Level, last string) func(context.Context, *slog.Logger) {
		return func(ctx context.Context, log *slog.Logger) {
			debug(ctx, log)
			log.Log(ctx, level, "record")
			if last != "" {
				log.DebugContext(ctx, last)
			}
		}
	}
	for _, tc := range []struct {
		rule   string
		do     func(context.Context, *slog.Logger)
		err    error
		layers []guard.Middleware
		want   string // messages in their order
	}{
		{rule: "a success writes none", do: debug, want: "invocation"},
		{rule: "a WARN record writes none", do: with(slog.LevelWarn, ""), want: "record invocation"},
		{rule: "a caller's fault writes none", do: debug, err: notFound, want: "invocation"},
		{
			rule: "an ERROR record writes them before itself",
			do:   with(slog.LevelError, ""),
			want: "one two record invocation",
		},
		{rule: "a FATAL record, too", do: with(logging.LevelFatal, ""), want: "one two record invocation"},
		{
			rule: "what comes after an ERROR waits for the next",
			do:   with(slog.LevelError, "three"),
			want: "one two record invocation",
		},
		{
			rule: "which the end of the invocation may be",
			do:   with(slog.LevelError, "three"),
			err:  io.EOF,
			want: "one two record three invocation",
		},
		{rule: "an invocation that ends with an error of ours", do: debug, err: io.EOF, want: "one two invocation"},
		{
			rule:   "one that is answered with an error",
			do:     debug,
			err:    io.EOF,
			layers: []guard.Middleware{guard.Errors()},
			want:   "one two invocation",
		},
		{
			rule:   "one that is answered with a 500",
			do:     debug,
			err:    io.EOF,
			layers: []guard.Middleware{answering(500)},
			want:   "one two invocation",
		},
		{
			rule:   "one that is answered with a 404",
			do:     debug,
			err:    notFound,
			layers: []guard.Middleware{answering(404)},
			want:   "invocation",
		},
		{
			rule:   "a panic",
			do:     func(ctx context.Context, log *slog.Logger) { debug(ctx, log); panic("x") },
			layers: []guard.Middleware{guard.Recover()},
			want:   "one two invocation",
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New(logging.BufferDebug())
			layers := append([]guard.Middleware{guard.Log(log)}, tc.layers...)
			h := guard.Wrap(doing(func(ctx context.Context) { tc.do(ctx, log) }, tc.err), layers...)
			_, _ = h.Invoke(invocation(t.Context(), "r-1"), httpEvent("", false))
			if got := book.Messages(t); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			for _, record := range book.Records(t) {
				if record["requestId"] != "r-1" {
					t.Errorf("%v", record)
				}
				if record["message"] == "two" && (record["level"] != "TRACE" || fmt.Sprint(record["g"]) != "map[a:1]") {
					t.Errorf("%v", record)
				}
			}
		})
	}
}

func TestBufferedRecordsBelongToTheirInvocation(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug())
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		log.DebugContext(ctx, "of "+string(payload))
		if string(payload) == "0" {
			return nil, io.EOF
		}
		return nil, nil
	}), guard.Log(log))
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() { _, _ = h.Invoke(t.Context(), []byte(fmt.Sprint(i))) })
	}
	wg.Wait()
	log.Debug("outside")
	if got := book.Messages(t); strings.Count(got, "of") != 1 || !strings.Contains(got, "of 0 invocation") {
		t.Error(got)
	}
}

func TestTheBufferKeeps20kBOfTheNewest(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug(), logging.Service("shop"))
	const written = 400
	h := guard.Wrap(doing(func(ctx context.Context) {
		for i := range written {
			log.DebugContext(ctx, fmt.Sprint(i), "pad", strings.Repeat("x", 100))
		}
	}, io.EOF), guard.Log(log))
	_, _ = h.Invoke(invocation(t.Context(), "r-1"), nil)
	records := book.Records(t)
	first := records[0]
	if first["message"] != "debug records were dropped" || first["level"] != "WARN" || first["requestId"] != "r-1" || first["service"] != "shop" {
		t.Fatalf("%v", first)
	}
	kept := records[1 : len(records)-1]
	if fmt.Sprint(first["dropped"]) != fmt.Sprint(written-len(kept)) {
		t.Errorf("%v dropped, %d of %d kept", first["dropped"], len(kept), written)
	}
	for i, record := range kept {
		if want := fmt.Sprint(written - len(kept) + i); record["message"] != want {
			t.Fatalf("%v, want %s: the newest in their order", record["message"], want)
		}
	}
	// The size is the text's, within a quarter.
	lines := strings.SplitAfter(book.String(), "\n")
	size := len(strings.Join(lines[1:len(lines)-2], ""))
	if size < 15_000 || size > 25_000 {
		t.Errorf("%d bytes kept", size)
	}
}

func TestARecordLargerThanTheBufferIsDropped(t *testing.T) {
	for kind, value := range map[string]any{
		"string": strings.Repeat("x", 20_001),
		"struct": []string{strings.Repeat("x", 20_001)},
		"group":  slog.GroupValue(slog.String("a", strings.Repeat("x", 20_001))),
	} {
		log, book := logbook.New(logging.BufferDebug())
		h := guard.Wrap(doing(func(ctx context.Context) {
			log.DebugContext(ctx, "small")
			log.DebugContext(ctx, "large", "v", value)
			log.DebugContext(ctx, "after", "v", []byte(strings.Repeat("x", 10_000)))
		}, io.EOF), guard.Log(log))
		_, _ = h.Invoke(t.Context(), nil)
		if got := book.Messages(t); got != "debug records were dropped after invocation" {
			t.Errorf("%s: %s", kind, got)
		}
		if dropped := book.Records(t)[0]["dropped"]; dropped != json.Number("2") {
			t.Errorf("%s: %v dropped", kind, dropped)
		}
	}
}

// A counting value counts its LogValue calls.
type counting struct{ n *int }

func (c counting) LogValue() slog.Value { *c.n++; return slog.IntValue(*c.n) }

func TestAKeptRecordHasTheValuesOfItsTime(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug())
	asked := 0
	h := guard.Wrap(doing(func(ctx context.Context) {
		list, object, pointer := []int{1, 2}, map[string]any{"a": 1}, &leaf{Public: "before"}
		text := []byte("before")
		log.DebugContext(ctx, "m", "list", list, "object", object, "pointer", pointer, "text", json.RawMessage(`"before"`),
			"bytes", text, "asked", counting{n: &asked}, slog.Group("g", "list", list))
		list[0], object["a"], pointer.Public, text[0] = 99, 99, "after", 'x'
	}, io.EOF), guard.Log(log))
	_, _ = h.Invoke(t.Context(), nil)
	record := book.Records(t)[0]
	got := fmt.Sprintln(record["list"], record["object"], record["pointer"], record["text"], record["bytes"], record["asked"], record["g"])
	want := "[1 2] map[a:1] map[pass_word:[redacted] public:before] before YmVmb3Jl 1 map[list:[1 2]]\n"
	if got != want || asked != 1 {
		t.Errorf("asked %d times\n%s, want\n%s", asked, got, want)
	}
}

func TestManyGoroutinesShareOneBuffer(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug())
	h := guard.Wrap(doing(func(ctx context.Context) {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for j := range 8 {
					log.With("i", i).DebugContext(ctx, "debug", "j", j)
				}
				if i == 7 {
					log.ErrorContext(ctx, "error")
				}
			})
		}
		wg.Wait()
	}, io.EOF), guard.Log(log))
	_, _ = h.Invoke(t.Context(), nil)
	next := map[any]int{}
	debug := 0
	for _, record := range book.Records(t) {
		if record["message"] != "debug" {
			continue
		}
		debug++
		if fmt.Sprint(record["j"]) != fmt.Sprint(next[record["i"]]) {
			t.Errorf("goroutine %v: %v, want %d", record["i"], record["j"], next[record["i"]])
		}
		next[record["i"]]++
	}
	if debug != 16*8 {
		t.Errorf("%d debug records of %d:\n%s", debug, 16*8, book)
	}
}

func TestASampledInvocationKeepsNothingBack(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug(), logging.SampleDebug(1))
	h := guard.Wrap(doing(func(ctx context.Context) { log.DebugContext(ctx, "debug") }, nil), guard.Log(log))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := book.Messages(t); got != "debug invocation" {
		t.Error(got)
	}
}

// SECURITY: Bounded work.
func TestTheAttributesOfALoggerCountAsKept(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug())
	const most = 21_000 // the limit, and the record that reports what was dropped
	h := guard.Wrap(doing(func(ctx context.Context) {
		for range 100 {
			log.With("text", strings.Repeat("x", 4_000)).DebugContext(ctx, "debug")
		}
		log.ErrorContext(ctx, "error")
		if got := book.Len(); got > most {
			t.Errorf("got %d bytes written, want at most %d", got, most)
		}
	}, nil), guard.Log(log))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestAnErrorOfAnotherLoggerWritesTheKeptRecords(t *testing.T) {
	log, book := logbook.New(logging.BufferDebug())
	other := logging.New(io.Discard)
	h := guard.Wrap(doing(func(ctx context.Context) { log.DebugContext(ctx, "debug") }, io.EOF), guard.Log(other))
	_, _ = h.Invoke(t.Context(), nil)
	if got := book.Messages(t); got != "debug" {
		t.Errorf("got %q, want debug", got)
	}
}
