package secondline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// failing fails in a way.
func failing(ways map[string]func() error) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if f := ways[wayOf(ctx)]; f != nil {
			return []byte(`{}`), f()
		}
		return []byte(`{}`), nil
	})
}

var failures = failing(map[string]func() error{
	"error":                       func() error { return errors.New("hunter2") },
	"panic":                       func() error { panic("hunter2") },
	"bad":                         func() error { return errors.New("hunter\xff\xfe2 \u2028<&>\n\"") },
	"typed":                       func() error { return messages.InvokeResponse_Error{Type: "a", Message: "hunter2", StackTrace: frames} },
	"pointer":                     func() error { return &messages.InvokeResponse_Error{Type: "a", Message: "hunter2"} },
	"wrapped":                     func() error { return fmt.Errorf("more: %w", errors.Join(errors.New("hunter2"), io.EOF)) },
	"changes":                     func() error { return changing{} },
	"refusal":                     func() error { return guard.Errorf(guard.Invalid, "bad_order", "hunter2") },
	"panics with an error":        func() error { panic(fmt.Errorf("hunter2: %w", io.EOF)) },
	"panics with a typed error":   func() error { panic(messages.InvokeResponse_Error{Type: "a", Message: "hunter2", ShouldExit: true}) },
	"panics with a runtime error": func() error { return errors.New(frames[len(frames)].Path) },
})

var frames = []*messages.InvokeResponse_Error_StackFrame{{Path: "main.go", Line: 1, Label: "main"}}

// allPrinted is closed when somebody else has printed all lines.
var allPrinted = make(chan struct{})

// changing has another text each time.
type changing struct{}

var texts atomic.Int64

func (changing) Error() string { return fmt.Sprint("hunter", texts.Add(1)) }

// foreign is a third party's layer.
func foreign(change func(out []byte, err error) ([]byte, error)) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			return change(next.Invoke(ctx, payload))
		})
	}
}

func passes(out []byte, err error) ([]byte, error) { return out, err }

// early runs f in the first invocation.
func early(f func()) guard.Middleware {
	done := false
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if !done {
				done = true
				f()
			}
			return next.Invoke(ctx, payload)
		})
	}
}

func guarded() guard.Middleware { return guard.Default(logging.New(os.Stdout)) }

// arrangements are functions by what is special about them.
var arrangements = map[string]struct {
	start   func()
	calls   []call
	records int
	errors  []string // what is in the lines of the runtime client
	rest    []string // what is in the others
}{
	"Log alone": {
		start:   func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls:   []call{named("ok", 0), named("error", 0), named("bad", 0), named("typed", 0), named("pointer", 0), named("wrapped", 0), named("refusal", 0)},
		records: 7,
	},
	"an error whose text changes": {
		start: func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("changes", 0)}, records: 1, errors: []string{"hunter"}, // it may be another error than the recorded one
	},
	"a panic without Recover": {
		start: func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("panic", 0)}, records: 1,
	},
	"a panic with an error": {
		start: func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("panics with an error", 0)}, records: 1,
	},
	"a panic with an answer": {
		start: func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("panics with a typed error", 0)}, records: 1,
	},
	"a panic of the runtime": {
		start: func() { guard.Start(failures, guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("panics with a runtime error", 0)}, records: 1,
	},
	"a panic without Log": {
		start: func() { guard.Start(failures, foreign(passes)) },
		calls: []call{named("panic", 0)}, errors: []string{`"errorMessage":"hunter2","errorType":"string","stackTrace":[`},
	},
	"Recover outside Log": {
		start: func() { guard.Start(failures, guard.Recover(), guard.Log(logging.New(os.Stdout))) },
		calls: []call{named("panic", 0), named("error", 0)}, records: 2,
	},
	"no Log": {
		start: func() { guard.Start(failures, guard.Errors(), guard.Recover()) },
		calls: []call{named("ok", 0), named("error", 0), named("panic", 0)}, errors: []string{`"errorType":"internal"`, `"errorType":"panic"`},
	},
	"nothing": {
		start: func() { guard.Start(failures) },
		calls: []call{named("error", 0)}, errors: []string{`{"errorMessage":"hunter2","errorType":"errorString"}`},
	},
	"a log that writes nothing": {
		start: func() {
			guard.Start(failures, guard.Default(logging.New(os.Stdout, logging.MinLevel(slog.LevelError+4))))
		},
		calls: []call{named("error", 0), named("refusal", 0)}, errors: []string{`"errorType":"internal"`, `"errorType":"bad_order"`},
	},
	"a log that keeps the record": {
		start: func() {
			guard.Start(failures, guard.Default(logging.New(os.Stdout, logging.MinLevel(slog.LevelError), logging.BufferDebug())))
		},
		calls: []call{named("refusal", 0), named("error", 0)}, records: 1, errors: []string{`"errorType":"bad_order"`},
	},
	"a log that is full": {
		start: func() { guard.Start(failures, guard.Default(logging.New(full{}))) },
		calls: []call{named("error", 0)}, errors: []string{`"errorType":"internal"`},
	},
	"Log twice": {
		start: func() { guard.Start(failures, guarded(), guard.Log(slog.New(slog.DiscardHandler))) },
		calls: []call{named("error", 0), named("panic", 0)}, records: 2,
	},
	"a third party outside": {
		start: func() { guard.Start(failures, foreign(passes), foreign(passes), guarded()) },
		calls: []call{named("ok", 0), named("error", 0), named("panic", 0), named("refusal", 0), named("typed", 0)}, records: 5,
	},
	"a third party inside": {
		start: func() { guard.Start(failures, guarded(), foreign(passes)) },
		calls: []call{named("error", 0), named("panic", 0)}, records: 2,
	},
	"a third party fails": {
		start: func() {
			guard.Start(failures, foreign(func([]byte, error) ([]byte, error) { return nil, errors.New("not flushed") }), guarded())
		},
		calls: []call{named("ok", 0), named("error", 0)}, records: 2, errors: []string{"not flushed", "not flushed"},
	},
	"a third party adds to an error": {
		start: func() {
			guard.Start(failures, foreign(func(out []byte, err error) ([]byte, error) { return out, fmt.Errorf("traced: %w", err) }), guarded())
		},
		calls: []call{named("error", 0)}, records: 1, errors: []string{"traced: "},
	},
	"a third party saves an error": {
		start: func() {
			guard.Start(failures, foreign(func([]byte, error) ([]byte, error) { return []byte(`{}`), nil }), guarded())
		},
		calls: []call{named("error", 0)}, records: 1,
	},
	"a failure before the handler": {
		start: func() { guard.Start(failures, guarded()) },
		calls: []call{named("error", 0), {name: "broken", payload: []byte(`{}`), broken: true}, named("error", 1)}, records: 2,
		errors: []string{"failed to unmarshal client context json"},
	},
	"a prefix and flags": {
		start: func() {
			guard.Start(failures, early(func() {
				log.SetFlags(log.LstdFlags | log.Lshortfile | log.Lmicroseconds | log.Lmsgprefix)
				log.SetPrefix(`shop: {"errorMessage":1,`)
				log.Print("set")
			}), guarded())
		},
		calls: []call{named("error", 0), named("refusal", 0), named("error", 1)}, records: 3, errors: []string{`: shop: {"errorMessage":1,set`},
	},
	"another output, set before": {
		start: func() {
			log.SetOutput(os.Stdout)
			log.SetFlags(0)
			log.Print("set")
			guard.Start(failures, guarded())
		},
		calls: []call{named("error", 0)}, records: 1, rest: []string{"set"},
	},
	"another output, set later": {
		start: func() {
			guard.Start(failures, early(func() { log.SetOutput(io.MultiWriter(os.Stdout, log.Writer())); log.Print("set") }), guarded())
		},
		calls: []call{named("error", 0), named("error", 1)}, records: 2, rest: []string{"set", "set"},
	},
	"another output, set each time": {
		start: func() {
			guard.Start(failures, foreign(func(out []byte, err error) ([]byte, error) {
				log.SetOutput(io.MultiWriter(log.Writer()))
				log.Print("still there")
				return out, err
			}), guarded())
		},
		calls: []call{named("error", 0), named("error", 1), named("ok", 0)}, records: 3, rest: []string{"still there", "still there", "still there"},
	},
	"slog's default, set before": {
		start: func() {
			l := logging.New(os.Stdout)
			slog.SetDefault(l)
			log.Print("set")
			guard.Start(failures, guard.Default(l))
		},
		calls: []call{named("error", 0), named("panic", 0)}, records: 2, rest: []string{`"message":"set"`},
	},
	"slog's default, set later": {
		start: func() {
			l := logging.New(os.Stdout)
			guard.Start(failures, early(func() { slog.SetDefault(l); log.Print("set") }), guard.Default(l))
		},
		calls: []call{named("error", 0), named("error", 1)}, records: 2, rest: []string{`"message":"set"`},
	},
	"a line of the same text": {
		start: func() {
			guard.Start(failures, foreign(func(out []byte, err error) ([]byte, error) {
				log.Print(`mine: {"errorMessage":"hunter2","errorType":"errorString"}`)
				return out, err
			}), guard.Log(logging.New(os.Stdout)))
		},
		calls: []call{named("error", 0), named("error", 1)}, records: 2,
		errors: []string{`mine: {"errorMessage":"hunter2"`, `mine: {"errorMessage":"hunter2"`},
	},
	"many at once": {
		start: func() {
			go func() { // somebody else's lines
				for range 2000 {
					log.Print(`mine: {"errorMessage":"hunter2","errorType":"errorString"}`)
				}
				close(allPrinted)
			}()
			guard.Start(failures, guard.Log(logging.New(os.Stdout)), guard.Recover())
		},
		calls: many(400), records: 400,
	},
}

func many(n int) (calls []call) {
	for i := range n {
		calls = append(calls, named([]string{"error", "waits", "refusal", "panic"}[i%4], i))
	}
	return calls
}

// full is a file that takes no more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// A recorded error is not printed again, however the logger of package log and the
// layers are arranged. All else is printed.
func TestNothingElseIsLostAndNothingTwice(t *testing.T) {
	for name, a := range arrangements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "many at once" {
				a.errors = make([]string, 2000)
				for i := range a.errors {
					a.errors[i] = `mine: {"errorMessage":"hunter2"`
				}
			}
			concurrency := 1
			if len(a.calls) > 100 {
				concurrency = 16
			}
			p := run(t, name, concurrency, a.calls)
			n := 0
			for _, of := range p.records {
				n += of
			}
			if n != a.records {
				t.Errorf("got %d records, want %d", n, a.records)
			}
			p.mustPrint(t, a.errors...)
			if len(p.rest) != len(a.rest) {
				t.Errorf("got the lines %q, want %q", p.rest, a.rest)
			}
			for i, want := range a.rest {
				if i < len(p.rest) && !strings.Contains(p.rest[i], want) {
					t.Errorf("got the line %q, want %q", p.rest[i], want)
				}
			}
		})
	}
}
