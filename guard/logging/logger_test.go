package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

func TestNewLoggerWritesLambdasFormat(t *testing.T) {
	log, book := logbook.New()
	log.Warn("hello", "n", 1, "group", slog.GroupValue(slog.String("time", "kept")))
	record := book.Only(t)
	wantKeys(t, record, "timestamp", "level", "message", "n", "group")
	if record["level"] != "WARN" || record["message"] != "hello" || fmt.Sprint(record["group"]) != "map[time:kept]" {
		t.Errorf("%v", record)
	}
	stamp, _ := record["timestamp"].(string)
	if at, err := time.Parse(time.RFC3339Nano, stamp); err != nil || !strings.HasSuffix(stamp, "Z") || at.Nanosecond()%1e6 != 0 {
		t.Errorf("%s is not UTC to the millisecond: %v", stamp, err)
	}
}

func TestATimeOfAnotherZoneIsWrittenInUTC(t *testing.T) {
	log, book := logbook.New()
	at := time.Date(2026, 11, 21, 1, 2, 3, 4_999_999, time.FixedZone("", 3*60*60))
	if err := log.Handler().Handle(t.Context(), slog.NewRecord(at, slog.LevelInfo, "m", 0)); err != nil {
		t.Fatal(err)
	}
	if got := book.Only(t)["timestamp"]; got != "2026-11-20T22:02:03.004Z" {
		t.Error(got)
	}
}

func TestEveryRecordOfAnInvocationHasItsIDs(t *testing.T) {
	log, book := logbook.New()
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		log.InfoContext(ctx, "plain", "a", 1)
		log.With("b", 2).WithGroup("g").With("c", 3).WithGroup("h").InfoContext(ctx, "grouped", "d", 4)
		log.WithGroup("empty").InfoContext(ctx, "empty")
		log.Info("without its context")
		return nil, nil
	}))
	if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	records := book.Records(t)
	if len(records) != 4 {
		t.Fatalf("\n%s", book)
	}
	for _, record := range records[:3] {
		if record["requestId"] != "r-1" || record["traceId"] != "1-5759e988-bd862e3fe1be46a994272793" {
			t.Errorf("%v", record)
		}
	}
	wantKeys(t, records[0], "timestamp", "level", "message", "requestId", "traceId", "a")
	wantKeys(t, records[1], "timestamp", "level", "message", "requestId", "traceId", "b", "g")
	if got := fmt.Sprint(records[1]["g"]); got != "map[c:3 h:map[d:4]]" {
		t.Error(got)
	}
	wantKeys(t, records[2], "timestamp", "level", "message", "requestId", "traceId")
	wantKeys(t, records[3], "timestamp", "level", "message")
}

func TestLoggersOfOneGroupDoNotShareAttributes(t *testing.T) {
	log, book := logbook.New()
	base := log.WithGroup("g").With("a", 1)
	one, two := base.With("one", 1), base.With("two", 2)
	one.WithGroup("x").Info("m", "k", 1)
	two.Info("m")
	base.Info("m", "k", 1)
	var got []string
	for _, record := range book.Records(t) {
		got = append(got, fmt.Sprint(record["g"]))
	}
	want := "[map[a:1 one:1 x:map[k:1]] map[a:1 two:2] map[a:1 k:1]]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestGroupsWithinOneGroupDoNotShareTheirNames(t *testing.T) {
	log, book := logbook.New()
	base := log
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		one, two := base.WithGroup("one"), base.WithGroup("two")
		one.Info("m", "k", 1)
		two.Info("m", "k", 2)
		if got := book.String(); !strings.Contains(got, `"one":{"k":1}`) || !strings.Contains(got, `"two":{"k":2}`) {
			t.Errorf("before %s: %s", name, got)
		}
		book.Reset()
		base = base.WithGroup(name)
	}
}

func TestLogLevelOfTheEnvironment(t *testing.T) {
	levels := []slog.Level{logging.LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, logging.LevelFatal}
	for set, want := range map[string]string{
		"TRACE": "TRACE DEBUG INFO WARN ERROR FATAL",
		"DEBUG": "DEBUG INFO WARN ERROR FATAL",
		"":      "INFO WARN ERROR FATAL",
		"INFO":  "INFO WARN ERROR FATAL",
		"warn":  "WARN ERROR FATAL",
		"ERROR": "ERROR FATAL",
		"FATAL": "FATAL",
		"other": "INFO WARN ERROR FATAL",
	} {
		t.Run(set, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_LOG_LEVEL", set)
			log, book := logbook.New()
			for _, level := range levels {
				log.Log(t.Context(), level, "m")
			}
			var got []string
			for _, record := range book.Records(t) {
				got = append(got, record["level"].(string))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%v, want %s", got, want)
			}
		})
	}
}

func TestLogFormatOfTheEnvironment(t *testing.T) {
	for set, text := range map[string]bool{"": false, "JSON": false, "Text": true, "TEXT": true} {
		t.Run(set, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_LOG_FORMAT", set)
			log, book := logbook.New()
			h := guard.Wrap(answers("", nil), guard.Log(log))
			if _, err := h.Invoke(invocation(t.Context(), "r-1"), nil); err != nil {
				t.Fatal(err)
			}
			if !text {
				book.Only(t)
				return
			}
			if line := book.String(); !strings.HasPrefix(line, "timestamp=") || !strings.Contains(line, " level=INFO message=invocation requestId=r-1 ") {
				t.Error(line)
			}
		})
	}
}
