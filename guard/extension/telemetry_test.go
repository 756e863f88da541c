package extension_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/extension"
)

const oneLine = `[{"time":"2026-10-12T00:03:50.123Z","type":"function","record":"hello"}]`

// subscribe returns the URI that Lambda sends to.
func subscribe(t testing.TB, t2 extension.Telemetry, handle func(context.Context, []extension.Record) error) (*extension.Extension, string) {
	t.Helper()
	p := serve(t)
	ext := register(t)
	if err := ext.Subscribe(t.Context(), t2, handle); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, stop := context.WithCancel(context.Background())
		stop()
		_ = ext.Close(ended)
	})
	return ext, p.destination(t)
}

func nothing(context.Context, []extension.Record) error { return nil }

func TestTheSubscriptionIsThatOfTheDocuments(t *testing.T) {
	for _, c := range []struct {
		what   string
		in     extension.Telemetry
		types  []any
		buffer map[string]any
	}{
		{
			what:   "the defaults",
			types:  []any{"platform", "function"},
			buffer: map[string]any{"maxItems": 1000.0, "maxBytes": 262144.0, "timeoutMs": 1000.0},
		},
		{
			what:   "the least",
			in:     extension.Telemetry{Streams: []extension.Stream{extension.Extensions}, MaxItems: 1000, MaxBytes: 262_144, Timeout: 25 * time.Millisecond},
			types:  []any{"extension"},
			buffer: map[string]any{"maxItems": 1000.0, "maxBytes": 262144.0, "timeoutMs": 25.0},
		},
		{
			what:   "the most",
			in:     extension.Telemetry{Streams: []extension.Stream{extension.Platform, extension.Function, extension.Extensions}, MaxItems: 10_000, MaxBytes: 1_048_576, Timeout: 30 * time.Second},
			types:  []any{"platform", "function", "extension"},
			buffer: map[string]any{"maxItems": 10000.0, "maxBytes": 1048576.0, "timeoutMs": 30000.0},
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := serve(t)
			ext := register(t)
			if err := ext.Subscribe(t.Context(), c.in, nothing); err != nil {
				t.Fatal(err)
			}
			defer ext.Close(t.Context())
			got := p.got("PUT /2022-07-01/telemetry")[0].body
			uri := p.destination(t)
			want := map[string]any{
				"schemaVersion": "2025-01-29",
				"types":         c.types,
				"buffering":     c.buffer,
				"destination":   map[string]any{"protocol": "HTTP", "URI": uri},
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if !strings.HasPrefix(uri, "http://sandbox.localdomain:") {
				t.Errorf("got the address %q, want one of sandbox.localdomain", uri)
			}
		})
	}
}

func TestWhatSubscribeRefuses(t *testing.T) {
	p := serve(t)
	ext := register(t)
	for _, c := range []struct {
		in     extension.Telemetry
		handle func(context.Context, []extension.Record) error
		want   string
	}{
		{in: extension.Telemetry{MaxItems: 999}, handle: nothing, want: "MaxItems is 999, not from 1000 to 10000"},
		{in: extension.Telemetry{MaxItems: 10_001}, handle: nothing, want: "MaxItems is 10001"},
		{in: extension.Telemetry{MaxItems: -1}, handle: nothing, want: "MaxItems is -1"},
		{in: extension.Telemetry{MaxBytes: 262_143}, handle: nothing, want: "MaxBytes is 262143, not from 262144 to 1048576"},
		{in: extension.Telemetry{MaxBytes: 1_048_577}, handle: nothing, want: "MaxBytes is 1048577"},
		{in: extension.Telemetry{Timeout: 24 * time.Millisecond}, handle: nothing, want: "Timeout is 24ms, not from 25ms to 30s"},
		{in: extension.Telemetry{Timeout: 31 * time.Second}, handle: nothing, want: "Timeout is 31s"},
		{in: extension.Telemetry{Streams: []extension.Stream{"logs"}}, handle: nothing, want: `Streams has "logs", which is no stream`},
		{want: "the handler is nil"},
	} {
		if err := ext.Subscribe(t.Context(), c.in, c.handle); err == nil || !strings.HasPrefix(err.Error(), "extension: subscribe: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", c.in, err, c.want)
		}
	}
	if got := p.got("PUT /2022-07-01/telemetry"); len(got) != 0 {
		t.Errorf("got %d requests to Lambda, want none", len(got))
	}
}

func TestASecondSubscriptionIsRefused(t *testing.T) {
	ext, _ := subscribe(t, extension.Telemetry{}, nothing)
	if err := ext.Subscribe(t.Context(), extension.Telemetry{}, nothing); err == nil || !strings.Contains(err.Error(), "subscribed already") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestNothingListensAfterLambdaHasRefused(t *testing.T) {
	p := serve(t)
	ext := register(t)
	p.instead(func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errorType":"ValidationError","errorMessage":"types should not be empty"}`)
		return true
	})
	if err := ext.Subscribe(t.Context(), extension.Telemetry{}, nothing); err == nil || !strings.Contains(err.Error(), "status 400: ValidationError: types should not be empty") {
		t.Fatalf("got %v, want Lambda's words", err)
	}
	if got := send("POST", p.destination(t), oneLine); got != 0 {
		t.Errorf("got status %d, want no answer", got)
	}
	if err := ext.Close(t.Context()); err != nil {
		t.Errorf("got %v from Close without a subscription, want nil", err)
	}
}

func TestABatchReachesTheHandler(t *testing.T) {
	var got []extension.Record
	_, uri := subscribe(t, extension.Telemetry{}, func(_ context.Context, batch []extension.Record) error {
		got = append(got, batch...)
		return nil
	})
	for range 2 {
		if status := send("POST", uri, oneLine); status != http.StatusOK {
			t.Errorf("got status %d, want 200", status)
		}
	}
	one := extension.Record{Time: time.Date(2026, 10, 12, 0, 3, 50, 123e6, time.UTC), Type: "function", Raw: []byte(`"hello"`)}
	if want := []extension.Record{one, one}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A batch that is not taken is sent again by Lambda.
func TestABatchThatFailsIsNotAcknowledged(t *testing.T) {
	full := errors.New("disk full")
	var calls atomic.Int64
	ext, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		if calls.Add(1) == 1 {
			return full
		}
		panic("hunter2")
	})
	for i, want := range []int{500, 500} {
		if got := send("POST", uri, oneLine); got != want {
			t.Errorf("call %d: got status %d, want %d", i+1, got, want)
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	err := ext.Close(ended)
	if want := "extension: telemetry: the handler panicked with a string"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Lambda sends it again after a pause that may be longer than Close waits for others.
func TestCloseWaitsForABatchThatHasFailed(t *testing.T) {
	var calls atomic.Int64
	ext, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		if calls.Add(1) == 1 {
			return errors.New("disk full")
		}
		return nil
	})
	if got := send("POST", uri, oneLine); got != 500 {
		t.Fatalf("got status %d, want 500", got)
	}
	closed := make(chan error)
	go func() { closed <- ext.Close(t.Context()) }()
	select {
	case err := <-closed:
		t.Fatalf("got the end with %v, want it after the batch", err)
	case <-time.After(500 * time.Millisecond):
	}
	if got := send("POST", uri, oneLine); got != 200 {
		t.Errorf("got status %d, want 200", got)
	}
	if err := <-closed; err != nil {
		t.Errorf("got %v, want nil, as the batch came again", err)
	}
}

func TestWhatIsNoTelemetryIsRefused(t *testing.T) {
	_, uri := subscribe(t, extension.Telemetry{}, func(_ context.Context, batch []extension.Record) error {
		t.Errorf("got the batch %v, want none", batch)
		return nil
	})
	other := uri[:strings.LastIndex(uri, "/")]
	for _, c := range []struct {
		what, method, uri, body string
		want                    int
	}{
		{what: "a body above the limit", method: "POST", uri: uri, body: `[{"type":"function","record":"` + strings.Repeat("x", 4<<20) + `"}]`, want: 413},
		{what: "the root", method: "POST", uri: other + "/", body: oneLine, want: 404},
		{what: "another path", method: "POST", uri: other + "/telemetry", body: oneLine, want: 404},
		{what: "a GET", method: "GET", uri: uri, want: 405},
		{what: "a PUT, as of the older Logs API", method: "PUT", uri: uri, body: oneLine, want: 405},
	} {
		if got := send(c.method, c.uri, c.body); got != c.want {
			t.Errorf("%s: got status %d, want %d", c.what, got, c.want)
		}
	}
}

// As large a batch as Lambda may send with the smallest buffer: twice what it may hold,
// of control characters, each of which takes six bytes in JSON.
func TestTheLargestBatchIsTaken(t *testing.T) {
	const records, each = 2 * 10_000, 2 * 256 << 10 / (2 * 10_000)
	size, got := 0, 0
	_, uri := subscribe(t, extension.Telemetry{MaxItems: records / 2}, func(_ context.Context, batch []extension.Record) error {
		got = len(batch)
		for _, r := range batch {
			size += len(r.Text())
		}
		return nil
	})
	line, _ := json.Marshal(strings.Repeat("\x01", each))
	one := strings.Replace(oneLine[1:len(oneLine)-1], `"hello"`, string(line), 1)
	body := "[" + strings.TrimSuffix(strings.Repeat(one+",", records), ",") + "]"
	if status := send("POST", uri, body); status != 200 || got != records || size != records*each {
		t.Errorf("got status %d, %d records and %d bytes of a body of %d, want 200, %d and %d", status, got, size, len(body), records, records*each)
	}
}

func TestTheHandlerRunsOnceAtATime(t *testing.T) {
	var running, calls atomic.Int64
	var most atomic.Int64
	_, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		most.Store(max(most.Load(), running.Add(1)))
		calls.Add(1)
		time.Sleep(time.Millisecond) // others come meanwhile
		running.Add(-1)
		return nil
	})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got := send("POST", uri, oneLine); got != 200 {
				t.Errorf("got status %d, want 200", got)
			}
		})
	}
	all.Wait()
	if calls.Load() != 50 || most.Load() != 1 {
		t.Errorf("got %d calls and %d at once, want 50 and 1", calls.Load(), most.Load())
	}
}

// Each request puts the end off, so that what Lambda sends in the shutdown phase is taken.
func TestCloseWaitsForTheLastRecords(t *testing.T) {
	const quiet = 200 * time.Millisecond
	var taken atomic.Int64
	ext, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		taken.Add(1)
		return nil
	})
	type end struct {
		at  time.Time
		err error
	}
	closed := make(chan end)
	go func() {
		err := ext.Close(t.Context())
		closed <- end{time.Now(), err}
	}()
	var acknowledged int64
	var last time.Time
	for begin := time.Now(); time.Since(begin) < 3*quiet; {
		now := time.Now()
		if send("POST", uri, oneLine) != 200 {
			break // the machine has slept longer than Close waits
		}
		acknowledged, last = acknowledged+1, now
	}
	got := <-closed
	if got.err != nil {
		t.Error(got.err)
	}
	if waited := got.at.Sub(last); waited < quiet {
		t.Errorf("got the end %v after a request began, want %v at least", waited, quiet)
	}
	if taken.Load() != acknowledged {
		t.Errorf("got %d batches taken and %d acknowledged, want as many", taken.Load(), acknowledged)
	}
	if status := send("POST", uri, oneLine); status != 0 {
		t.Errorf("got status %d after Close, want no answer", status)
	}
}

func TestCloseCancelsTheHandlerWhenItsContextEnds(t *testing.T) {
	running := make(chan struct{})
	var returned atomic.Bool
	ext, uri := subscribe(t, extension.Telemetry{}, func(ctx context.Context, _ []extension.Record) error {
		close(running)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond) // in which a Close that does not wait returns
		returned.Store(true)
		return ctx.Err()
	})
	go send("POST", uri, oneLine)
	<-running
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if err := ext.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of the handler, context.Canceled", err)
	}
	if !returned.Load() {
		t.Error("Close returned before the handler")
	}
}

// A client that goes away must not keep the listener busy.
func TestABodyThatDoesNotEndIsGivenUp(t *testing.T) {
	var got atomic.Int64
	_, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		got.Add(1)
		return nil
	})
	host, path, _ := strings.Cut(strings.TrimPrefix(uri, "http://sandbox.localdomain:"), "/")
	conn, err := net.Dial("tcp", "127.0.0.1:"+host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: sandbox.localdomain\r\nContent-Length: 100\r\n\r\n[", path)
	conn.Close()
	if status := send("POST", uri, oneLine); status != 200 || got.Load() != 1 {
		t.Errorf("got status %d and %d batches, want 200 and 1", status, got.Load())
	}
}
