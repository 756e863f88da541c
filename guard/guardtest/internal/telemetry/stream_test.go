package telemetry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/telemetry"
)

const patient = 2 * time.Minute

type event struct {
	Time   time.Time
	Type   string
	Record json.RawMessage
}

// A listener is an extension's end of the API.
type listener struct {
	*httptest.Server
	answer func(n int) int // the status of the n-th request, 200 when nil

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	events   []event // acknowledged
	changed  chan struct{}
}

func listen(t *testing.T, answer func(n int) int) *listener {
	l := &listener{answer: answer, changed: make(chan struct{})}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	l.mu.Lock()
	l.requests, l.bodies = append(l.requests, r), append(l.bodies, string(body))
	n := len(l.requests)
	l.mu.Unlock()
	status := http.StatusOK
	if l.answer != nil {
		status = l.answer(n)
	}
	var batch []event
	if err != nil || json.Unmarshal(body, &batch) != nil {
		status = http.StatusBadRequest
	}
	if status/100 == 2 {
		l.mu.Lock()
		l.events = append(l.events, batch...)
		close(l.changed)
		l.changed = make(chan struct{})
		l.mu.Unlock()
	}
	w.WriteHeader(status)
}

// port is in the listener's URL, where the service finds it under another name.
func (l *listener) port() string {
	_, port, _ := net.SplitHostPort(l.Listener.Addr().String())
	return port
}

// await returns the acknowledged events once there are as many of the type.
func (l *listener) await(t *testing.T, kind string, n int) []event {
	t.Helper()
	return l.until(t, func(events []event) bool {
		count := 0
		for _, e := range events {
			if e.Type == kind {
				count++
			}
		}
		return count >= n
	})
}

// until returns the acknowledged events once it holds for them.
func (l *listener) until(t *testing.T, holds func([]event) bool) []event {
	t.Helper()
	tooLong := time.After(patient)
	for {
		l.mu.Lock()
		events, changed := slices.Clone(l.events), l.changed
		l.mu.Unlock()
		if holds(events) {
			return events
		}
		select {
		case <-changed:
		case <-tooLong:
			t.Fatalf("only %d events came", len(events))
		}
	}
}

func newStream(t *testing.T, objects bool) *telemetry.Stream {
	s := &telemetry.Stream{Objects: objects}
	t.Cleanup(s.Close)
	return s
}

// subscription is the body of a request, changed by replacements in pairs.
func subscription(port string, replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`{"schemaVersion":"2022-07-01","types":["platform","function"],` +
		`"buffering":{"maxItems":1000,"maxBytes":262144,"timeoutMs":25},` +
		`"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:` + port + `/records"}}`)
}

func subscribe(t *testing.T, s *telemetry.Stream, body string) {
	t.Helper()
	if err := s.Subscribe("shipper", telemetry.TelemetryAPI, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func types(events []event) (all []string) {
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

func TestRecordsComeAsTheyWerePublished(t *testing.T) {
	s, l := newStream(t, false), listen(t, nil)
	s.Publish("platform.initStart", map[string]any{"phase": "init"}) // before there is a subscriber
	subscribe(t, s, subscription(l.port()))
	s.Line(telemetry.Function, []byte("first <&> ü\nsecond\r\n\nlast"))
	s.Line(telemetry.Extension, []byte("not subscribed to\n"))
	s.EndInit()
	s.Publish("platform.start", map[string]any{"requestId": "r-1"})

	events := l.await(t, "platform.start", 1)
	want := []string{"platform.initStart", "platform.telemetrySubscription", "function", "function", "function", "function", "platform.start"}
	if got := types(events); !slices.Equal(got, want) {
		t.Fatalf("types %q, want %q", got, want)
	}
	var lines []string
	for _, e := range events[2:6] {
		var line string
		if err := json.Unmarshal(e.Record, &line); err != nil {
			t.Error(err)
		}
		lines = append(lines, line)
	}
	if want := []string{"first <&> ü", "second", "", "last"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q, want %q", lines, want)
	}
	if got, want := string(events[1].Record), `{"name":"shipper","state":"Subscribed","types":["platform","function"]}`; got != want {
		t.Errorf("subscription %s, want %s", got, want)
	}
	r := l.requests[0]
	if r.Method != "POST" || r.URL.Path != "/records" || r.Host != "sandbox.localdomain:"+l.port() || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("request %s %s of %s, %s", r.Method, r.URL, r.Host, r.Header)
	}
	for _, e := range events {
		if age := time.Since(e.Time); age < 0 || age > patient {
			t.Errorf("time %s", e.Time)
		}
	}
}

func TestLinesAreObjectsInALogOfJSON(t *testing.T) {
	const line, text = `{"level":"INFO"}`, `"{\"level\":\"INFO\"}"`
	for _, tt := range []struct {
		api    telemetry.API
		schema string
		object string // the record of an object
	}{
		{schema: "2025-01-29", object: line},
		{schema: "2022-12-13", object: line},
		{schema: "2022-07-01", object: text},
		{api: telemetry.LogsAPI, schema: "2021-03-18", object: text},
	} {
		s, l := newStream(t, true), listen(t, nil)
		if err := s.Subscribe("shipper", tt.api, []byte(subscription(l.port(), "2022-07-01", tt.schema))); err != nil {
			t.Fatal(err)
		}
		s.Line(telemetry.Function, []byte(line+"\n"+`"text"`+"\n[1]\n{broken\n"))
		events := l.await(t, "function", 4)[1:]
		for i, want := range []string{tt.object, `"\"text\""`, `"[1]"`, `"{broken"`} {
			if got := string(events[i].Record); got != want {
				t.Errorf("%s: record %s, want %s", tt.schema, got, want)
			}
		}
	}
}

func TestSubscriptionsAreChecked(t *testing.T) {
	tests := []struct {
		name    string
		managed bool
		api     telemetry.API
		replace []string
		want    string // empty if it is accepted
	}{
		{name: "as it is"},
		{name: "the newest schema", managed: true, replace: []string{"2022-07-01", "2025-01-29"}},
		{name: "an older schema of managed instances", managed: true, want: `schemaVersion "2022-07-01" should be one of 2025-01-29`},
		{name: "an unknown schema", replace: []string{"2022-07-01", "2019-01-01"}, want: "schemaVersion"},
		{name: "no JSON", replace: []string{"{", ""}, want: "failed to parse JSON"},
		{name: "a wrong type of JSON", replace: []string{"25", `"x"`}, want: "failed to parse JSON"},
		{name: "no types", replace: []string{`["platform","function"]`, "[]"}, want: "types should not be empty"},
		{name: "an unknown type", replace: []string{`"platform"`, `"metrics"`}, want: `type "metrics"`},
		{name: "too few items", replace: []string{"1000", "999"}, want: "maxItems 999 should be from 1000 to 10000"},
		{name: "too many items", replace: []string{"1000", "10001"}, want: "maxItems"},
		{name: "too few bytes", replace: []string{"262144", "262143"}, want: "maxBytes 262143 should be from 262144 to 1048576"},
		{name: "too many bytes", replace: []string{"262144", "1048577"}, want: "maxBytes"},
		{name: "too short a time", replace: []string{":25}", ":24}"}, want: "timeoutMs 24 should be from 25 to 30000"},
		{name: "too long a time", replace: []string{":25}", ":30001}"}, want: "timeoutMs"},
		{name: "defaults", replace: []string{`{"maxItems":1000,"maxBytes":262144,"timeoutMs":25}`, "{}"}},
		{name: "the other name", replace: []string{".localdomain", ""}},
		{name: "another host", replace: []string{"sandbox.localdomain", "example.com"}, want: "URI"},
		{name: "HTTPS", replace: []string{"http:", "https:"}, want: "URI"},
		{name: "no port", replace: []string{":8080/", "/"}, want: "URI port is not provided"},
		{name: "no port and no types", replace: []string{":8080/", "/", `["platform","function"]`, "[]"}, want: "types should not be empty; URI port is not provided"},
		{name: "Lambda's own port", replace: []string{"8080", "9001"}, want: "port 9001 is reserved"},
		{name: "a port beyond", replace: []string{"8080", "65536"}, want: "port 65536"},
		{name: "another protocol", replace: []string{`"HTTP"`, `"UDP"`}, want: "protocol"},
		{name: "TCP without a port", replace: []string{`"HTTP"`, `"TCP"`}, want: "port 0"},
		{name: "another method", replace: []string{`"protocol"`, `"method":"GET","protocol"`}, want: "method"},
		{name: "PUT", replace: []string{`"protocol"`, `"method":"PUT","encoding":"JSON","protocol"`}},
		{name: "the Logs API", api: telemetry.LogsAPI, replace: []string{"2022-07-01", "2020-08-15"}},
		{name: "the Logs API's default", api: telemetry.LogsAPI, replace: []string{`"schemaVersion":"2022-07-01",`, ""}},
		{name: "another schema of the Logs API", api: telemetry.LogsAPI, want: "should be one of 2020-08-15, 2021-03-18"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &telemetry.Stream{Managed: tt.managed}
			defer s.Close()
			err := s.Subscribe("shipper", tt.api, []byte(subscription("8080", tt.replace...)))
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			invalid := map[telemetry.API]string{telemetry.TelemetryAPI: "ValidationError", telemetry.LogsAPI: "Logs.ValidationError"}[tt.api]
			refused := new(telemetry.Refusal)
			if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || refused.Type != invalid || !strings.Contains(refused.Message, tt.want) {
				t.Errorf("%v, want %s with %q", err, invalid, tt.want)
			}
		})
	}
}

func TestSecondSubscriptionChangesNothing(t *testing.T) {
	s, l := newStream(t, false), listen(t, nil)
	subscribe(t, s, subscription(l.port()))
	subscribe(t, s, subscription("8080"))
	s.Publish("platform.start", nil)
	if got := types(l.await(t, "platform.start", 1)); !slices.Equal(got, []string{"platform.telemetrySubscription", "platform.start"}) {
		t.Errorf("types %q", got)
	}
	refused := new(telemetry.Refusal)
	if err := s.Subscribe("shipper", telemetry.LogsAPI, []byte(subscription(l.port(), "2022-07-01", "2020-08-15"))); !errors.As(err, &refused) || refused.Type != "Logs.ValidationError" {
		t.Errorf("with the other API: %v", err)
	}
	s.EndInit()
	if err := s.Subscribe("late", telemetry.TelemetryAPI, []byte(subscription(l.port()))); !errors.As(err, &refused) || refused.Status != http.StatusForbidden || refused.Type != "Telemetry.SubscriptionClosed" {
		t.Errorf("after INIT: %v", err)
	}
}

func TestLogsAPIHasItsOwnRecords(t *testing.T) {
	all := []string{"platform.initStart", "platform.initReport", "platform.start", "platform.runtimeDone", "platform.fault", "platform.end", "platform.report", "platform.restoreStart", "platform.telemetrySubscription"}
	for schema, want := range map[string][]string{
		"2020-08-15": {"platform.logsSubscription", "platform.start", "platform.fault", "platform.end", "platform.report"},
		"2021-03-18": {"platform.logsSubscription", "platform.start", "platform.runtimeDone", "platform.fault", "platform.end", "platform.report"},
	} {
		s, l := newStream(t, false), listen(t, nil)
		body := subscription(l.port(), "2022-07-01", schema, `"protocol"`, `"method":"PUT","protocol"`)
		if err := s.Subscribe("shipper", telemetry.LogsAPI, []byte(body)); err != nil {
			t.Fatal(err)
		}
		for _, kind := range all {
			s.Publish(kind, nil)
		}
		if got := types(l.await(t, "platform.report", 1)); !slices.Equal(got, want) {
			t.Errorf("%s: types %q, want %q", schema, got, want)
		}
		if got := l.requests[0].Method; got != http.MethodPut {
			t.Errorf("method %s, want PUT", got)
		}
	}
}

func TestRefusedBatchIsDeliveredAgain(t *testing.T) {
	for _, status := range []int{500, 404, 302} {
		s, l := newStream(t, false), listen(t, func(n int) int {
			if n <= 2 {
				return status
			}
			return http.StatusNoContent
		})
		subscribe(t, s, subscription(l.port()))
		for n := range 10 {
			s.Publish("platform.start", n)
		}
		events := l.await(t, "platform.start", 10)
		for n, e := range events[1:] {
			if string(e.Record) != fmt.Sprint(n) {
				t.Errorf("event %d is %s: out of order, or twice", n, e.Record)
			}
		}
		if l.bodies[0] != l.bodies[1] || l.bodies[1] != l.bodies[2] {
			t.Errorf("%d: the batch is not the same when it comes again:\n%s\n%s\n%s", status, l.bodies[0], l.bodies[1], l.bodies[2])
		}
	}
}

func TestRecordsWaitForAListenerThatIsNotThereYet(t *testing.T) {
	for range 10 { // the port may have gone to another program
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(socket.Addr().String())
		_ = socket.Close()
		s := newStream(t, false)
		subscribe(t, s, subscription(port))
		s.Publish("platform.start", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		s.Flush(ctx) // in vain, and bounded
		cancel()
		if socket, err = net.Listen("tcp", "127.0.0.1:"+port); err != nil {
			continue
		}
		l := &listener{changed: make(chan struct{})}
		l.Server = &httptest.Server{Listener: socket, Config: &http.Server{Handler: l}}
		l.Start()
		defer l.Close()
		l.await(t, "platform.start", 1)
		return
	}
	t.Fatal("each port has gone to another program")
}

func TestBatchesAreBounded(t *testing.T) {
	hold := make(chan struct{})
	s, l := newStream(t, false), listen(t, func(int) int { <-hold; return http.StatusOK })
	subscribe(t, s, subscription(l.port(), ":25}", ":30000}"))
	long := strings.Repeat("x", 10_000)
	for range 1500 {
		s.Line(telemetry.Function, []byte("short"))
	}
	for range 20 {
		s.Line(telemetry.Function, []byte(long))
	}
	s.Publish("platform.start", nil)
	close(hold)
	flushed, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	s.Flush(flushed)
	if got := len(l.await(t, "platform.start", 1)); got != 1522 {
		t.Errorf("%d events, want 1522", got)
	}
	for _, body := range l.bodies {
		if items := strings.Count(body, `"time":`); items > 1000 || len(body) > 262144+items+2 {
			t.Errorf("a batch of %d items and %d bytes", items, len(body))
		}
	}
}

func TestFullBatchIsNotKeptBack(t *testing.T) {
	for name, line := range map[string]string{"items": "short", "bytes": strings.Repeat("x", 1000)} {
		s, l := newStream(t, false), listen(t, nil)
		subscribe(t, s, subscription(l.port(), ":25}", ":30000}"))
		for range 1000 {
			s.Line(telemetry.Function, []byte(line))
		}
		first := l.await(t, "function", 1)[0]
		if kept := time.Since(first.Time); kept > 29*time.Second {
			t.Errorf("full of %s, a batch was kept for %s", name, kept)
		}
	}
}

// Whatever is published is delivered or counted.
func TestRecordsBeyondTheBufferAreDroppedAndCounted(t *testing.T) {
	const published = 20_000
	hold := make(chan struct{})
	s, l := newStream(t, false), listen(t, func(n int) int {
		if n == 1 {
			<-hold
		}
		return http.StatusOK
	})
	subscribe(t, s, subscription(l.port()))
	line := strings.Repeat("y", 1000)
	var writing sync.WaitGroup
	for range 4 {
		writing.Go(func() {
			for range published / 4 {
				s.Line(telemetry.Function, []byte(line))
			}
		})
	}
	writing.Wait()
	close(hold)
	var delivered, dropped, bytes int
	l.until(t, func(events []event) bool {
		delivered, dropped, bytes = 0, 0, 0
		for _, e := range events {
			switch e.Type {
			case "function":
				delivered++
			case "platform.logsDropped":
				var counts struct {
					DroppedRecords, DroppedBytes int
					Reason                       string
				}
				if err := json.Unmarshal(e.Record, &counts); err != nil || counts.Reason != "Some logs were dropped because the downstream consumer is slower than the logs production rate" {
					t.Errorf("%s: %v", e.Record, err)
				}
				dropped, bytes = dropped+counts.DroppedRecords, bytes+counts.DroppedBytes
			}
		}
		return delivered+dropped >= published
	})
	if delivered+dropped != published || bytes < 1000*dropped || dropped < published-4*262144/1000 {
		t.Errorf("%d delivered and %d (%d bytes) dropped, of %d", delivered, dropped, bytes, published)
	}
}

// An extension may subscribe late in INIT. What is not kept for it is counted.
func TestWhatASubscriptionComesTooLateForIsCounted(t *testing.T) {
	const lines = 300
	s, l := newStream(t, false), listen(t, nil)
	line := bytes.Repeat([]byte("z"), 10_000)
	for range lines {
		s.Line(telemetry.Function, line)
		s.Line(telemetry.Extension, line) // of no interest
	}
	subscribe(t, s, subscription(l.port()))
	var delivered, dropped int
	l.until(t, func(events []event) bool {
		delivered, dropped = 0, 0
		for _, e := range events {
			var counts struct{ DroppedRecords int }
			switch {
			case e.Type == "function":
				delivered++
			case e.Type == "platform.logsDropped" && json.Unmarshal(e.Record, &counts) == nil:
				dropped += counts.DroppedRecords
			}
		}
		return delivered+dropped >= lines
	})
	if delivered+dropped != lines || delivered == 0 || dropped == 0 {
		t.Errorf("%d delivered and %d dropped, of %d", delivered, dropped, lines)
	}
}

func TestRecordThatIsTooLargeIsCounted(t *testing.T) {
	s, l := newStream(t, false), listen(t, nil)
	subscribe(t, s, subscription(l.port()))
	l.await(t, "platform.telemetrySubscription", 1)
	s.Publish("platform.start", strings.Repeat("z", 1<<20))
	l.await(t, "platform.logsDropped", 1)
}

func TestLinesOverTCP(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	s := newStream(t, false)
	subscribe(t, s, subscription(port, `"protocol":"HTTP"`, `"protocol":"TCP","port":`+port))
	for n := range 100 {
		s.Publish("platform.start", n)
	}
	conn, err := socket.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patient))
	scanner := bufio.NewScanner(conn)
	for n := -1; n < 100; n++ {
		var e event
		if !scanner.Scan() || json.Unmarshal(scanner.Bytes(), &e) != nil {
			t.Fatalf("line %d is %q, %v", n, scanner.Bytes(), scanner.Err())
		}
		if n >= 0 && string(e.Record) != fmt.Sprint(n) {
			t.Errorf("line %d is %s", n, scanner.Bytes())
		}
	}
	// A connection that is lost is made anew. What was written to it may be lost.
	_ = conn.Close()
	again := make(chan net.Conn, 1)
	go func() {
		if conn, err := socket.Accept(); err == nil {
			again <- conn
		}
	}()
	tooLong := time.After(patient)
	for {
		s.Publish("platform.report", nil)
		select {
		case conn := <-again:
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(patient))
			if line, err := bufio.NewReader(conn).ReadBytes('\n'); !bytes.Contains(line, []byte(`"platform.report"`)) {
				t.Errorf("the first line is %q, %v", line, err)
			}
			return
		case <-tooLong:
			t.Fatal("no second connection")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A listener that takes nothing holds up neither the publisher nor the end.
func TestEndDoesNotWaitForAListener(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close() // nothing is accepted
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	for _, protocol := range []string{"HTTP", "TCP"} {
		s := new(telemetry.Stream)
		subscribe(t, s, subscription(port, `"protocol":"HTTP"`, `"protocol":"`+protocol+`","port":`+port))
		for range 100 {
			s.Line(telemetry.Function, bytes.Repeat([]byte("z"), 100_000))
		}
		s.Close()
	}
}
