package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// lambda stands for Lambda where guardtest cannot: it knows what it has got a 200 for,
// loses some, and gives the time for a SHUTDOWN that a busy machine needs.
type lambda struct {
	t            *testing.T
	env          []string
	registered   chan string // for which events
	to           chan string // where telemetry goes
	events       chan string // each is taken when the shipper asks for the next one
	ended        chan error
	acknowledged []string
}

func newLambda(t *testing.T, s *store, more ...string) *lambda {
	t.Helper()
	l := &lambda{t: t, registered: make(chan string, 1), to: make(chan string, 1), events: make(chan string), ended: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		l.registered <- string(body)
		w.Header().Set("Lambda-Extension-Identifier", "id")
		_, _ = io.WriteString(w, `{"functionName":"orders","functionVersion":"$LATEST","handler":"bootstrap"}`)
	})
	mux.HandleFunc("PUT /2022-07-01/telemetry", func(_ http.ResponseWriter, r *http.Request) {
		var subscription struct{ Destination struct{ URI string } }
		if err := json.NewDecoder(r.Body).Decode(&subscription); err != nil {
			t.Error(err)
		}
		l.to <- strings.Replace(subscription.Destination.URI, "sandbox.localdomain", "127.0.0.1", 1)
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-l.events:
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.env = s.env(append(more, "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String())...)
	return l
}

// start runs the shipper in the process of the test, under its race detector.
func (l *lambda) start() {
	l.t.Helper()
	for _, pair := range l.env {
		name, value, _ := strings.Cut(pair, "=")
		l.t.Setenv(name, value)
	}
	go func() { l.ended <- run(l.t.Context(), slog.New(slog.NewJSONHandler(l.t.Output(), nil))) }()
}

// startProcess runs the shipper as it is deployed.
func (l *lambda) startProcess() {
	l.t.Helper()
	binaries.build(l.t)
	cmd := exec.CommandContext(l.t.Context(), binaries.shipper)
	cmd.Env = l.env
	cmd.Stdout, cmd.Stderr = l.t.Output(), l.t.Output()
	go func() { l.ended <- cmd.Run() }()
}

func (l *lambda) invoke(deadline time.Time) {
	l.events <- fmt.Sprintf(`{"eventType":"INVOKE","requestId":"r-1","deadlineMs":%d}`, deadline.UnixMilli())
}

// shutDown ends the environment, and waits for the shipper.
func (l *lambda) shutDown(reason string) {
	l.t.Helper()
	l.events <- fmt.Sprintf(`{"eventType":"SHUTDOWN","shutdownReason":%q,"deadlineMs":%d}`, reason, time.Now().Add(time.Minute).UnixMilli())
	must(l.t, <-l.ended)
}

// deliver sends a batch until Lambda has its 200. One in four answers is lost on the
// way, and the batch comes again.
func (l *lambda) deliver(to string, batch []line) {
	l.t.Helper()
	body, err := json.Marshal(batch)
	must(l.t, err)
	for {
		req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, to, bytes.NewReader(body))
		must(l.t, err)
		res, err := http.DefaultClient.Do(req)
		must(l.t, err)
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK && rand.IntN(4) > 0 {
			break
		}
	}
	for _, sent := range batch {
		l.acknowledged = append(l.acknowledged, string(sent.Record))
	}
}

func TestEachAcknowledgedRecordOf100000IsInOneObjectOrCounted(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	l := newLambda(t, s, "LOGSHIPPER_AGE=50ms", "LOGSHIPPER_OBJECT_BYTES=131072", "LOGSHIPPER_MEMORY_BYTES=524288")
	l.startProcess()
	l.deliverWhileS3Fails(s, 100)
}

// The race detector sees this shipper.
func TestEachAcknowledgedRecordIsInOneObjectOrCounted(t *testing.T) {
	s := newStore(t)
	l := newLambda(t, s, "LOGSHIPPER_AGE=50ms", "LOGSHIPPER_OBJECT_BYTES=65536", "LOGSHIPPER_MEMORY_BYTES=131072")
	l.start()
	l.deliverWhileS3Fails(s, 20)
}

// deliverWhileS3Fails delivers batches of 1,000 records.
func (l *lambda) deliverWhileS3Fails(s *store, batches int) {
	t := l.t
	t.Helper()
	to := <-l.to
	hang := []awsproxy.Mishap{awsproxy.Hang}
	for b := range batches {
		switch b * 5 / batches {
		case 1:
			s.Meet("", awsproxy.Drop)
		case 2:
			s.Meet("", refuse(503, "SlowDown"))
		case 3:
			s.Meet("", s.lost)
		case 4:
			s.Next("", hang...)
			hang = nil
			s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
				mishaps := []awsproxy.Mishap{s.Pass, s.Pass, s.lost, awsproxy.Drop, refuse(500, "InternalError")}
				mishaps[rand.IntN(len(mishaps))](w, r, body)
			})
		}
		var batch []line
		for i := range 1000 {
			text, _ := json.Marshal(fmt.Sprintf("%d/%d %x", b, i, rand.Uint64()))
			batch = append(batch, line{time.Now().UTC().Format(millis), "function", text})
		}
		l.deliver(to, batch)
	}
	s.Forgive()
	l.shutDown("spindown")
	got := s.account()
	got.mustHold(t, l.acknowledged)
	t.Logf("of %d: %v", len(l.acknowledged), got)
	if got.dropped == 0 {
		t.Error("nothing was dropped, so nothing was tested of it")
	}
}

func TestTheEndOfAnEnvironmentStoresWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"spindown", "timeout", "failure"} {
		t.Run(reason, func(t *testing.T) {
			s := newStore(t)
			l := newLambda(t, s, "LOGSHIPPER_PREFIX=records/")
			l.startProcess()
			if got, want := <-l.registered, `{"events":["SHUTDOWN"]}`; got != want {
				t.Errorf("got %s, want %s: no invocation waits for it", got, want)
			}
			to := <-l.to
			for i := range 3 {
				l.deliver(to, []line{{time.Now().UTC().Format(millis), "function", fmt.Appendf(nil, "%d", i)}})
			}
			l.shutDown(reason)
			got := s.account()
			got.mustHold(t, l.acknowledged)
			if len(got.objects) != 1 || got.dropped != 0 {
				t.Errorf("got %v, want one object", got)
			}
			for key := range got.objects {
				if !strings.HasPrefix(key, "records/orders/2") || !strings.HasSuffix(key, ".ndjson.gz") {
					t.Errorf("got the key %s", key)
				}
			}
		})
	}
}

// All that an invocation waits for counts for the timeout of the function.
func TestNoInvocationIsHeldBeyondItsDeadline(t *testing.T) {
	s := newStore(t)
	var over atomic.Bool // the attempt, after 5 seconds
	s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
		awsproxy.Hang(w, r, body)
		over.Store(true)
	})
	l := newLambda(t, s, "LOGSHIPPER_AGE=0s", "LOGSHIPPER_HOLD=10s")
	l.start()
	l.deliver(<-l.to, []line{{time.Now().UTC().Format(millis), "function", json.RawMessage(`"a"`)}})
	deadline := time.Now()
	l.invoke(deadline)
	l.invoke(deadline) // is taken when the first is over
	if over.Load() {
		t.Error("the invocation was held for an attempt, beyond its deadline")
	}
	s.Forgive()
	l.shutDown("spindown")
}
