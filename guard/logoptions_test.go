package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

func logWith(opts ...guard.LoggerOption) (*slog.Logger, *logbook) {
	b := new(logbook)
	return guard.NewLogger(b, opts...), b
}

// doing is a handler that does something with its context and answers an error.
func doing(do func(context.Context), err error) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		do(ctx)
		return []byte(`{}`), err
	})
}

// messages gives the message of each record.
func (b *logbook) messages(t *testing.T) string {
	t.Helper()
	var all []string
	for _, record := range b.records(t) {
		all = append(all, record["message"].(string))
	}
	return strings.Join(all, " ")
}

func TestOurHandlerIsOneOfSlogs(t *testing.T) {
	// The result in slog's own names, of a log that may have Lambda's.
	run := func(t *testing.T, newHandler func(io.Writer) slog.Handler) {
		var book *logbook
		slogtest.Run(t, func(*testing.T) slog.Handler {
			book = new(logbook)
			return newHandler(book)
		}, func(t *testing.T) map[string]any {
			record := book.only(t)
			for theirs, ours := range map[string]string{slog.TimeKey: "timestamp", slog.MessageKey: "message"} {
				if value, ok := record[ours]; ok {
					record[theirs] = value
				}
			}
			return record
		})
	}
	t.Run("NewLogger", func(t *testing.T) {
		run(t, func(w io.Writer) slog.Handler { return guard.NewLogger(w).Handler() })
	})
	t.Run("NewLogHandler", func(t *testing.T) {
		run(t, func(w io.Writer) slog.Handler { return guard.NewLogHandler(slog.NewJSONHandler(w, nil)) })
	})
}

func TestMinLevelChangesWhileRunningAndGoesBeforeTheEnvironment(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_LEVEL", "FATAL")
	var level slog.LevelVar
	log, book := logWith(guard.MinLevel(&level))
	log.Debug("no")
	log.Info("info")
	level.Set(guard.LevelTrace)
	log.Log(t.Context(), guard.LevelTrace, "trace")
	level.Set(slog.LevelError)
	log.Warn("no")
	log.Log(t.Context(), guard.LevelFatal, "fatal")
	if got := book.messages(t); got != "info trace fatal" {
		t.Error(got)
	}
}

func TestServiceIsInEveryRecord(t *testing.T) {
	log, book := logWith(guard.Service("shop"))
	h := guard.Wrap(doing(func(ctx context.Context) { log.WithGroup("g").InfoContext(ctx, "m", "service", "inner") }, nil), guard.Log(log))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	log.Info("outside")
	for _, record := range book.records(t) {
		if record["service"] != "shop" {
			t.Errorf("%v", record)
		}
	}
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
			log, book := newLog()
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
			for _, record := range book.records(t) {
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

func TestSampleDebugIsAllOrNothingOfAnInvocation(t *testing.T) {
	for _, tc := range []struct {
		share    float64
		min, max int // of 200 invocations
	}{{share: 0, min: 0, max: 0}, {share: 1, min: 200, max: 200}, {share: 0.5, min: 50, max: 150}} {
		t.Run(fmt.Sprint(tc.share), func(t *testing.T) {
			log, book := logWith(guard.SampleDebug(tc.share))
			h := guard.Wrap(doing(func(ctx context.Context) {
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() { log.DebugContext(ctx, "debug") })
				}
				wg.Wait()
				log.WithGroup("g").InfoContext(ctx, "info", "a", 1)
			}, nil), guard.Log(log))
			full := 0
			for range 200 {
				book.Reset()
				if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
					t.Fatal(err)
				}
				records := book.records(t)
				switch len(records) {
				case 6:
					full++
				case 2:
				default:
					t.Fatalf("%d records:\n%s", len(records), book)
				}
				for _, record := range records {
					if (record["sampled"] == true) != (len(records) == 6) {
						t.Errorf("%v", record)
					}
				}
			}
			if full < tc.min || full > tc.max {
				t.Errorf("%d of 200 wrote all", full)
			}
			book.Reset()
			log.Debug("outside an invocation")
			if book.Len() != 0 {
				t.Errorf("%s", book)
			}
		})
	}
}

func TestUnsafePayload(t *testing.T) {
	payload := httpEvent(`{"password":"s3cr3t"}`, false)
	log, book := newLog()
	if _, err := guard.Wrap(answers("", nil), guard.Log(log, guard.UnsafePayload())).Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if got := book.only(t)["payload"]; got != string(payload) {
		t.Errorf("%v", got)
	}
}

func TestUnsafePanicValues(t *testing.T) {
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(errors.New("value 42")) })
	for unsafe, want := range map[bool]string{
		false: "the handler panicked with a *errors.errorString",
		true:  "the handler panicked with a *errors.errorString: value 42",
	} {
		var opts []guard.LogOption
		if unsafe {
			opts = append(opts, guard.UnsafePanicValues())
		}
		log, book := newLog()
		_, _ = guard.Wrap(h, guard.Log(log, opts...), guard.Recover()).Invoke(t.Context(), nil)
		if got := book.only(t)["error"].(map[string]any)["cause"]; got != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

// inlined is a value whose members stand in its place.
type inlined struct{}

func (inlined) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("requestId", 4), slog.Int("colour", 4))
}

// A line with a key twice is read in two ways, so a caller's own attributes
// give way to the log's.
func TestNoKeyOfTheLogIsThereTwice(t *testing.T) {
	log, book := logWith(guard.Service("shop"), guard.SampleDebug(1))
	own := []any{
		"time", 1, "timestamp", 1, "level", 1, "msg", 1, "message", 1, "requestId", 1, "traceId", 1, "correlationId", 1,
		"service", 1, "sampled", 1, slog.Group("", slog.Int("level", 2), slog.Int("kept", 1)),
	}
	h := guard.Wrap(doing(func(ctx context.Context) {
		log.InfoContext(ctx, "record", own[:20]...)
		log.With(own[:20]...).InfoContext(ctx, "logger")
		log.InfoContext(ctx, "inline", own[20])
		log.WithGroup("level").InfoContext(ctx, "group", "level", 1)
		for _, key := range []string{
			"functionName", "functionVersion", "coldStart", "tenantId", "trigger", "durationMs", "remainingMs",
			"method", "route", "status", "error", "payload", "requestId", "level", "sku",
		} {
			guard.AddAttrs(ctx, slog.Int(key, 1), slog.Int(key, 2))
		}
		guard.AddAttrs(ctx, slog.Group("", slog.Int("method", 3), slog.Group("", slog.Int("sku", 3))), slog.Any("", inlined{}), slog.Int("colour", 3))
	}, io.EOF), guard.Log(log, guard.UnsafePayload(), guard.Correlate(func(context.Context, *guard.Event) string { return "c-1" })))
	_, _ = h.Invoke(invocation(t.Context(), "r-1"), httpEvent("x", false))
	records := book.records(t) // fails on a key that is there twice
	for i, want := range []string{
		`fields.requestId=1 fields.time=1 fields.service=1 fields.sampled=1 requestId=r-1`,
		`fields.requestId=1 fields.level=1 service=shop sampled=true correlationId=c-1`,
		`fields.level=2 kept=1 level=INFO`,
		`fields.level=map[level:1] level=INFO`,
		`fields.status=2 fields.error=2 fields.requestId=4 fields.method=3 method=POST sku=3 colour=3 trigger=http-api message=invocation`,
	} {
		for pair := range strings.FieldsSeq(want) {
			if key, value, _ := strings.Cut(pair, "="); fmt.Sprint(records[i][key]) != value {
				t.Errorf("%s: want %s in %v", records[i]["message"], pair, records[i])
			}
		}
	}
}

func TestTextFormatHasTheSameNames(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_FORMAT", "Text")
	log, book := newLog()
	log = log.With("password", "s3cr3t")
	h := doing(func(ctx context.Context) {
		log.WithGroup("g").Log(ctx, guard.LevelFatal, "m", "a", struct {
			Token string `json:"token"`
			N     int
		}{Token: "s3cr3t", N: 1})
	}, nil)
	if _, err := guard.Wrap(h).Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	line := book.String()
	want := ` level=FATAL message=m password=[redacted] requestId=r-1 traceId=1-5759e988-bd862e3fe1be46a994272793 g.a="{\"token\":\"[redacted]\",\"N\":1}"`
	if !strings.HasPrefix(line, "timestamp=") || !strings.HasSuffix(line, want+"\n") {
		t.Errorf("%s, want …%s", line, want)
	}
}

// A plainHandler is a handler of a team's own: it knows levels and messages.
type plainHandler struct {
	out    *bytes.Buffer
	level  slog.Level
	prefix string
}

func (p plainHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= p.level }

func (p plainHandler) Handle(_ context.Context, r slog.Record) error {
	fmt.Fprintf(p.out, "%s%s %s", p.prefix, r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(p.out, " %s", a)
		return true
	})
	return p.out.WriteByte('\n')
}

func (p plainHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	p.prefix += fmt.Sprint(attrs)
	return p
}

func (p plainHandler) WithGroup(string) slog.Handler { panic("a group was opened") }

func TestNewLogHandlerBeforeAForeignOne(t *testing.T) {
	var out bytes.Buffer
	foreign := plainHandler{out: &out, level: slog.LevelInfo}
	log := slog.New(guard.NewLogHandler(foreign, guard.BufferDebug(), guard.SampleDebug(1), guard.MinLevel(slog.LevelDebug)))
	h := guard.Wrap(doing(func(ctx context.Context) {
		log.DebugContext(ctx, "below the level of the handler behind")
		log.WithGroup("g").With("b", 2).InfoContext(ctx, "grouped", "token", "s3cr3t")
		log.With("password", "s3cr3t").InfoContext(ctx, "with")
	}, nil))
	if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	const ids = ` requestId=r-1 traceId=1-5759e988-bd862e3fe1be46a994272793 sampled=true`
	want := "INFO grouped" + ids + " g=[b=2 token=[redacted]]\n[password=[redacted]]INFO with" + ids + "\n"
	if out.String() != want {
		t.Errorf("\n%swant\n%s", out.String(), want)
	}
}

// Handlers that wrap others, of teams and of slog itself.
type around struct{ slog.Handler }

func TestAForeignHandlerAroundOurs(t *testing.T) {
	for rule, wrap := range map[string]func(slog.Handler) slog.Handler{
		"embedding":         func(h slog.Handler) slog.Handler { return around{Handler: h} },
		"slog.MultiHandler": func(h slog.Handler) slog.Handler { return slog.NewMultiHandler(h, slog.DiscardHandler) },
	} {
		t.Run(rule, func(t *testing.T) {
			ours, book := logWith(guard.SampleDebug(1), guard.BufferDebug())
			log := slog.New(wrap(ours.Handler()))
			h := guard.Wrap(doing(func(ctx context.Context) {
				log.DebugContext(ctx, "m")
				guard.AddAttrs(ctx, slog.String("token", "s3cr3t"))
			}, nil), guard.Log(log))
			if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
				t.Fatal(err)
			}
			records := book.records(t)
			for _, record := range records {
				if record["requestId"] != "r-1" || record["sampled"] != true {
					t.Errorf("%v", record)
				}
			}
			if len(records) != 2 || records[1]["token"] != "[redacted]" || records[1]["durationMs"].(json.Number) == "" {
				t.Errorf("%v", records)
			}
		})
	}
}

func TestLogOptionsThatMakeNoSense(t *testing.T) {
	for rule, build := range map[string]func(){
		"a share over 1":     func() { guard.SampleDebug(1.01) },
		"a negative share":   func() { guard.SampleDebug(-0.01) },
		"no share at all":    func() { guard.SampleDebug(math.NaN()) },
		"a nil level":        func() { guard.MinLevel(nil) },
		"a nil function":     func() { guard.Correlate(nil) },
		"an empty name":      func() { guard.NewLogger(io.Discard, guard.Redact("-_")) },
		"a name too long":    func() { guard.NewLogger(io.Discard, guard.Redact(strings.Repeat("x", 65))) },
		"a nil handler":      func() { guard.NewLogHandler(nil) },
		"a nil *slog.Logger": func() { guard.Log(nil) },
	} {
		t.Run(rule, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "guard: ") {
					t.Errorf("panicked with %q", text)
				}
			}()
			build()
		})
	}
}
