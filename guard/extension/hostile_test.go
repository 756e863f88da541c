package extension_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/extension"
)

// Lambda sends a batch again until it is taken, and all later records wait behind it.
func TestARecordThatCannotBeReadHoldsBackNoOther(t *testing.T) {
	const time0 = `"time":"2026-10-12T00:03:50.123Z"`
	const done = `{` + time0 + `,"type":"platform.end","record":{"requestId":"r"}}`
	type record struct{ kind, raw string }
	end := record{"platform.end", `{"requestId":"r"}`}
	for _, c := range []struct {
		what, body string
		want       []record
	}{
		{what: "no type", body: `[{"record":"x"},` + done + `]`, want: []record{{"", `{"record":"x"}`}, end}},
		{what: "an empty type", body: `[{"type":"","record":"x"},` + done + `]`, want: []record{{"", `{"type":"","record":"x"}`}, end}},
		{what: "no record", body: `[{"type":"function"},` + done + `]`, want: []record{{"", `{"type":"function"}`}, end}},
		{what: "a null", body: `[null,` + done + `]`, want: []record{{"", `null`}, end}},
		{what: "a type that is a number", body: `[{"type":1,"record":"x"},` + done + `]`, want: []record{{"", `{"type":1,"record":"x"}`}, end}},
		{what: "a time that is a number", body: `[{"time":1,"type":"function","record":"x"},` + done + `]`, want: []record{{"", `{"time":1,"type":"function","record":"x"}`}, end}},
		{what: "a text among records", body: `["x",` + done + `]`, want: []record{{"", `"x"`}, end}},
		{what: "a line that Lambda has cut", body: `[` + done + `,{` + time0 + `,"type":"function","record":{"message":"AAAA}]`, want: []record{
			end, {"", `"{\"time\":\"2026-10-12T00:03:50.123Z\",\"type\":\"function\",\"record\":{\"message\":\"AAAA}]"`},
		}},
		{what: "the rest of that line", body: `[{"type":"function","record":BBBB"}},` + done + `]`, want: []record{
			{"", `"{\"type\":\"function\",\"record\":BBBB\"}},{\"time\":\"2026-10-12T00:03:50.123Z\",\"type\":\"platform.end\",\"record\":{\"requestId\":\"r\"}}]"`},
		}},
		{what: "a line nested too deeply", body: `[` + done + `,` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `]`, want: []record{
			end, {"", `"` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `]"`},
		}},
		{what: "no array", body: `{"type":"function"}`, want: []record{{"", `"{\"type\":\"function\"}"`}}},
		{what: "no JSON", body: "hello", want: []record{{"", `"hello"`}}},
		{what: "no end", body: `[` + done, want: []record{end}},
		{what: "more after the end", body: `[` + done + `][1]`, want: []record{end, {"", `"[1]"`}}},
		{what: "nothing", body: `[]`},
	} {
		var got []record
		_, uri := subscribe(t, extension.Telemetry{}, func(_ context.Context, batch []extension.Record) error {
			if len(batch) == 0 {
				t.Errorf("%s: got a batch without a record", c.what)
			}
			for _, r := range batch {
				got = append(got, record{r.Type, string(r.Raw)})
				if _, err := json.Marshal(r.Raw); err != nil {
					t.Errorf("%s: got %q, want JSON", c.what, r.Raw)
				}
			}
			return nil
		})
		if status := send("POST", uri, c.body); status != 200 || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got status %d and %.300q, want 200 and %.300q", c.what, status, got, c.want)
		}
	}
}

// What is answered with 200 is gone.
func TestABatchIsNotAcknowledgedAfterTheContextHasEnded(t *testing.T) {
	p := serve(t)
	ext := register(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	running, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int64
	if err := ext.Subscribe(ctx, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		calls.Add(1)
		close(running)
		<-release
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	first, others := make(chan int), make(chan int)
	uri := p.destination(t)
	go func() { first <- send("POST", uri, oneLine) }()
	<-running
	for range 5 { // some wait for their turn when ctx ends, some come later
		go func() { others <- send("POST", uri, oneLine) }()
	}
	stop()
	for range 5 {
		if status := <-others; status/100 == 2 {
			t.Errorf("got status %d for a batch that was not handled, want an error", status)
		}
	}
	close(release)
	if status := <-first; status != 200 {
		t.Errorf("got status %d for the batch that was handled, want 200", status)
	}
	if status := send("POST", uri, oneLine); status/100 == 2 || calls.Load() != 1 {
		t.Errorf("got status %d and %d calls, want an error and 1", status, calls.Load())
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := ext.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from Close, want what ended the batch", err)
	}
}

// Lambda sends the next batch when the one before is answered.
func TestCloseWaitsForASlowHandlerAndWhatComesBehind(t *testing.T) {
	running, release := make(chan struct{}, 2), make(chan struct{})
	ext, uri := subscribe(t, extension.Telemetry{}, func(context.Context, []extension.Record) error {
		running <- struct{}{}
		<-release
		return nil
	})
	first := make(chan int)
	go func() { first <- send("POST", uri, oneLine) }()
	<-running
	closed := make(chan error)
	go func() { closed <- ext.Close(t.Context()) }()
	select {
	case err := <-closed:
		t.Fatalf("got the end with %v, want it after the handler", err)
	case <-time.After(500 * time.Millisecond):
	}
	// The second one is here before the first is answered, as no test can come between
	// an answer and the 200 ms after it on a busy machine.
	second := make(chan int)
	go func() { second <- send("POST", uri, oneLine) }()
	select {
	case status := <-second:
		t.Fatalf("got status %d, want a wait for the first", status)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if a, b := <-first, <-second; a != 200 || b != 200 {
		t.Errorf("got status %d and %d, want 200 for both", a, b)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// A batch that is cut, as by a freeze, comes again.
func TestCloseWaitsForABatchThatWasCut(t *testing.T) {
	ext, uri := subscribe(t, extension.Telemetry{}, nothing)
	port, path, _ := strings.Cut(strings.TrimPrefix(uri, "http://sandbox.localdomain:"), "/")
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: sandbox.localdomain\r\nContent-Length: 100\r\n\r\n[", path)
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = conn.Read(make([]byte, 1)) // the listener has given it up
	_ = conn.Close()
	closed := make(chan error)
	go func() { closed <- ext.Close(t.Context()) }()
	select {
	case err := <-closed:
		t.Fatalf("got the end with %v, want it after the batch", err)
	case <-time.After(500 * time.Millisecond):
	}
	if status := send("POST", uri, oneLine); status != 200 {
		t.Errorf("got status %d, want 200", status)
	}
	if err := <-closed; err != nil {
		t.Errorf("got %v, want nil, as the batch came again", err)
	}
}

// The error that is reported may be what is broken.
func TestAnErrorThatPanicsIsReported(t *testing.T) {
	p := serve(t)
	ext := register(t)
	for _, cause := range []error{nil, fmt.Errorf("open: %w", (*os.PathError)(nil))} {
		if err := ext.InitError(t.Context(), cause); err != nil {
			t.Errorf("got %v, want a report", err)
		}
	}
	for _, got := range p.got("POST /2020-01-01/extension/init/error") {
		if header := got.header.Get("Lambda-Extension-Function-Error-Type"); header != "Extension.internal" {
			t.Errorf("got the type %q, want Extension.internal", header)
		}
	}
}

// A connection that says nothing, one that waits for its turn and one that has sent
// the next request already keep neither Close nor a goroutine.
func TestNothingIsLeftAfterClose(t *testing.T) {
	running := make(chan struct{})
	var calls atomic.Int64
	ext, uri := subscribe(t, extension.Telemetry{}, func(ctx context.Context, _ []extension.Record) error {
		calls.Add(1)
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	port, path, _ := strings.Cut(strings.TrimPrefix(uri, "http://sandbox.localdomain:"), "/")
	request := fmt.Sprintf("POST /%s HTTP/1.1\r\nHost: sandbox.localdomain\r\nContent-Length: %d\r\n\r\n%s", path, len(oneLine), oneLine)
	var conns []net.Conn
	for _, text := range []string{request + request, request, request[:len(request)-1], "POST", ""} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		_, _ = io.WriteString(conn, text)
		if len(conns) == 1 {
			<-running
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := ext.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of the handler", err)
	}
	for i, conn := range conns {
		answer, err := io.ReadAll(conn)
		if strings.Contains(string(answer), " 200 ") {
			t.Errorf("connection %d: got %q and %v, want the end", i, answer, err)
		}
	}
	if got := calls.Load(); got != 1 {
		t.Errorf("got %d calls, want 1", got)
	}
	patient, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for { // they end when they have seen it
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !strings.Contains(string(stacks), "extension.(*listener)") {
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-patient.Done():
			t.Fatalf("got the goroutines\n%s\nwant none of a listener", stacks)
		}
	}
}

func TestSubscribeAfterLambdaHasClosedTheSubscriptions(t *testing.T) {
	p := serve(t)
	ext := register(t)
	p.events <- `{"eventType":"INVOKE","tracing":null}`
	for range ext.Events(t.Context()) {
		break
	}
	p.instead(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"errorType":"Telemetry.SubscriptionClosed","errorMessage":"Telemetry API subscription is closed"}`)
		return true
	})
	if err := ext.Subscribe(t.Context(), extension.Telemetry{}, nothing); err == nil || !strings.Contains(err.Error(), "Telemetry.SubscriptionClosed") {
		t.Errorf("got %v, want Lambda's words", err)
	}
}
