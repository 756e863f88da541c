package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

func TestOurHandlerIsOneOfSlogs(t *testing.T) {
	// The result in slog's own names, of a log that may have Lambda's.
	run := func(t *testing.T, newHandler func(io.Writer) slog.Handler) {
		var book *logbook.Book
		slogtest.Run(t, func(*testing.T) slog.Handler {
			book = new(logbook.Book)
			return newHandler(book)
		}, func(t *testing.T) map[string]any {
			record := book.Only(t)
			for theirs, ours := range map[string]string{slog.TimeKey: "timestamp", slog.MessageKey: "message"} {
				if value, ok := record[ours]; ok {
					record[theirs] = value
				}
			}
			return record
		})
	}
	t.Run("NewLogger", func(t *testing.T) {
		run(t, func(w io.Writer) slog.Handler { return logging.New(w).Handler() })
	})
	t.Run("NewLogHandler", func(t *testing.T) {
		run(t, func(w io.Writer) slog.Handler { return logging.NewHandler(slog.NewJSONHandler(w, nil)) })
	})
}

func TestMinLevelChangesWhileRunningAndGoesBeforeTheEnvironment(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_LEVEL", "FATAL")
	var level slog.LevelVar
	log, book := logbook.New(logging.MinLevel(&level))
	log.Debug("no")
	log.Info("info")
	level.Set(logging.LevelTrace)
	log.Log(t.Context(), logging.LevelTrace, "trace")
	level.Set(slog.LevelError)
	log.Warn("no")
	log.Log(t.Context(), logging.LevelFatal, "fatal")
	if got := book.Messages(t); got != "info trace fatal" {
		t.Error(got)
	}
}

func TestServiceIsInEveryRecord(t *testing.T) {
	log, book := logbook.New(logging.Service("shop"))
	h := guard.Wrap(doing(func(ctx context.Context) { log.WithGroup("g").InfoContext(ctx, "m", "service", "inner") }, nil), guard.Log(log))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	log.Info("outside")
	for _, record := range book.Records(t) {
		if record["service"] != "shop" {
			t.Errorf("%v", record)
		}
	}
}

func TestSampleDebugIsAllOrNothingOfAnInvocation(t *testing.T) {
	for _, tc := range []struct {
		share    float64
		min, max int // of 200 invocations
	}{{share: 0, min: 0, max: 0}, {share: 1, min: 200, max: 200}, {share: 0.5, min: 50, max: 150}} {
		t.Run(fmt.Sprint(tc.share), func(t *testing.T) {
			log, book := logbook.New(logging.SampleDebug(tc.share))
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
				records := book.Records(t)
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

// inlined is a value whose members stand in its place.
type inlined struct{}

func (inlined) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("requestId", 4), slog.Int("colour", 4))
}

// A line with a key twice is read in two ways, so a caller's own attributes
// give way to the log's.
func TestNoKeyOfTheLogIsThereTwice(t *testing.T) {
	log, book := logbook.New(logging.Service("shop"), logging.SampleDebug(1))
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
	records := book.Records(t) // fails on a key that is there twice
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
	log, book := logbook.New()
	log = log.With("password", "s3cr3t")
	h := doing(func(ctx context.Context) {
		log.WithGroup("g").Log(ctx, logging.LevelFatal, "m", "a", struct {
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
	log := slog.New(logging.NewHandler(foreign, logging.BufferDebug(), logging.SampleDebug(1), logging.MinLevel(slog.LevelDebug)))
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
			ours, book := logbook.New(logging.SampleDebug(1), logging.BufferDebug())
			log := slog.New(wrap(ours.Handler()))
			h := guard.Wrap(doing(func(ctx context.Context) {
				log.DebugContext(ctx, "m")
				guard.AddAttrs(ctx, slog.String("token", "s3cr3t"))
			}, nil), guard.Log(log))
			if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
				t.Fatal(err)
			}
			records := book.Records(t)
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
		"a share over 1":   func() { logging.SampleDebug(1.01) },
		"a negative share": func() { logging.SampleDebug(-0.01) },
		"no share at all":  func() { logging.SampleDebug(math.NaN()) },
		"a nil level":      func() { logging.MinLevel(nil) },
		"an empty name":    func() { logging.New(io.Discard, logging.Redact("-_")) },
		"a name too long":  func() { logging.New(io.Discard, logging.Redact(strings.Repeat("x", 65))) },
		"a nil handler":    func() { logging.NewHandler(nil) },
	} {
		t.Run(rule, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "logging: ") {
					t.Errorf("got a panic with %q, want one of package logging", text)
				}
			}()
			build()
		})
	}
}

func TestTextFormatLeavesGroupsAlone(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_FORMAT", "Text")
	log, book := logbook.New()
	log.Info("m", slog.Group("g", "time", 1, "msg", 2))
	if line := book.String(); !strings.Contains(line, "g.time=1 g.msg=2") {
		t.Errorf("got %s, want g.time and g.msg", line)
	}
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAWriterThatFailsIsReported(t *testing.T) {
	h := logging.New(closedWriter{}).Handler()
	if err := h.Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)); err != io.ErrClosedPipe {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
}
