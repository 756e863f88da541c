package metadata_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/metadata"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// An endpoint answers as AWS's document says, unless a test sets another answer.
type endpoint struct {
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func serve(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.set(answering("use1-az1", "private, max-age=43200, immutable"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		switch {
		case r.Header.Get("Authorization") != "Bearer t0ken":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method+" "+r.URL.Path != "GET /2026-01-15/metadata/execution-environment":
			w.WriteHeader(http.StatusNotFound)
		default:
			(*e.answer.Load())(w, r)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_LAMBDA_METADATA_API", strings.TrimPrefix(server.URL, "http://"))
	t.Setenv("AWS_LAMBDA_METADATA_TOKEN", "t0ken")
	return e
}

func (e *endpoint) set(answer http.HandlerFunc) { e.answer.Store(&answer) }

func answering(zone, cacheControl string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", cacheControl)
		_, _ = io.WriteString(w, `{"AvailabilityZoneID":"`+zone+`","More":{"a":1}}`)
	}
}

func mustBe(t *testing.T, c *metadata.Client, want string) {
	t.Helper()
	if got, err := c.AvailabilityZoneID(t.Context()); got != want || err != nil {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestTheZoneIsAskedForOnce(t *testing.T) {
	e := serve(t)
	c := metadata.New()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { mustBe(t, c, "use1-az1") })
	}
	all.Wait()
	if got := e.asked.Load(); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
}

func TestTheZoneIsAskedForAgainWhenLambdaSays(t *testing.T) {
	for _, c := range []struct {
		cacheControl string
		fresh        time.Duration // how long it is not asked for
	}{
		{cacheControl: "private, max-age=43200, immutable", fresh: 12 * time.Hour},
		{cacheControl: "max-age=5", fresh: 5 * time.Second},
		{cacheControl: "", fresh: 12 * time.Hour},
		{cacheControl: "private,max-age=x", fresh: 12 * time.Hour},
		{cacheControl: "max-age=99999999", fresh: 12 * time.Hour},
	} {
		e := serve(t)
		e.set(answering("use1-az1", c.cacheControl))
		client, now := metadata.New(), time.Unix(1_800_000_000, 0)
		metadata.SetClock(client, func() time.Time { return now })
		mustBe(t, client, "use1-az1")
		e.set(answering("use1-az2", c.cacheControl))
		now = now.Add(c.fresh - time.Nanosecond)
		mustBe(t, client, "use1-az1")
		now = now.Add(time.Nanosecond)
		mustBe(t, client, "use1-az2")
		if got := e.asked.Load(); got != 2 {
			t.Errorf("%q: got %d requests, want 2", c.cacheControl, got)
		}
	}
}

func TestForgetMakesTheNextCallAsk(t *testing.T) {
	e := serve(t)
	c := metadata.New()
	mustBe(t, c, "use1-az1")
	e.set(answering("use1-az2", ""))
	c.Forget()
	mustBe(t, c, "use1-az2")
	e.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	c.Forget()
	if _, err := c.AvailabilityZoneID(t.Context()); err == nil {
		t.Fatal("got a zone, want an error")
	}
	e.set(answering("use1-az3", ""))
	c.Forget() // failures too
	mustBe(t, c, "use1-az3")
}

// A request from before a restore may be answered after it.
func TestAnAnswerFromBeforeForgetIsNotKept(t *testing.T) {
	e := serve(t)
	c := metadata.New()
	e.set(func(w http.ResponseWriter, r *http.Request) {
		c.Forget()
		answering("use1-az1", "")(w, r)
	})
	mustBe(t, c, "use1-az1")
	e.set(answering("use1-az2", ""))
	mustBe(t, c, "use1-az2")
}

func TestFailuresAreClear(t *testing.T) {
	e := serve(t)
	for _, c := range []struct {
		what   string
		answer http.HandlerFunc
		want   string
	}{
		{what: "a refusal", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, want: "status 401"},
		{what: "no JSON", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "use1-az1") }, want: "the answer is malformed"},
		{what: "another object", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, want: "the answer has no AvailabilityZoneID"},
		{what: "two zones", answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"AvailabilityZoneID":"use1-az1","AvailabilityZoneID":"use1-az2"}`)
		}, want: "the answer is malformed"},
		{what: "a redirect", answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, want: "status 302"},
		{what: "a huge answer", answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) }, want: "over 65536 bytes"},
		{what: "no answer", answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, want: "context deadline exceeded"},
	} {
		e.set(c.answer)
		zone, err := metadata.New().AvailabilityZoneID(t.Context())
		if zone != "" || err == nil || !strings.HasPrefix(err.Error(), "metadata: availability zone: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: got %q and %v, want an error with %q", c.what, zone, err, c.want)
		}
	}
}

func TestOutsideOfLambdaThereIsNoZone(t *testing.T) {
	for _, c := range []struct{ api, token, want string }{
		{want: "AWS_LAMBDA_METADATA_API is not set"},
		{api: "127.0.0.1:1", want: "AWS_LAMBDA_METADATA_TOKEN is not set"},
		{api: "127.0.0.1", token: "t", want: "AWS_LAMBDA_METADATA_API is no host and port"},
		{api: "127.0.0.1:1", token: "t\n", want: "invalid header"},
	} {
		t.Setenv("AWS_LAMBDA_METADATA_API", c.api)
		t.Setenv("AWS_LAMBDA_METADATA_TOKEN", c.token)
		if _, err := metadata.New().AvailabilityZoneID(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}

func TestAFailureIsReturnedAgainForASecond(t *testing.T) {
	e := serve(t)
	e.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	c, now := metadata.New(), time.Unix(1_800_000_000, 0)
	metadata.SetClock(c, func() time.Time { return now })
	for range 3 {
		if _, err := c.AvailabilityZoneID(t.Context()); err == nil {
			t.Error("got a zone, want an error")
		}
	}
	if got := e.asked.Load(); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
	e.set(answering("use1-az1", ""))
	now = now.Add(time.Second)
	mustBe(t, c, "use1-az1")
}

func TestACallerThatLeavesFailsNobodyElse(t *testing.T) {
	e := serve(t)
	c := metadata.New()
	asked := make(chan struct{})
	e.set(func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() })
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.AvailabilityZoneID(ctx)
		first <- err
	}()
	<-asked
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.AvailabilityZoneID(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the error of the context", err)
	}
	e.set(answering("use1-az1", ""))
	leave()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the error of the context", err)
	}
	mustBe(t, c, "use1-az1")
}

// The callers before may each leave in the last moment.
func TestACallTakesASecondAtMostThoughOthersAreBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, begin := metadata.New(), time.Now()
		metadata.Ask(c)
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		_, err := c.AvailabilityZoneID(ctx)
		if took := time.Since(begin); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v after %v, want the end after a second", err, took)
		}
	})
}

func TestTheLayerAddsTheZoneToTheRecord(t *testing.T) {
	e := serve(t)
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
	for _, c := range []struct {
		answer http.HandlerFunc
		want   any
	}{{answer: answering("use1-az1", ""), want: "use1-az1"}, {answer: down}} {
		e.set(c.answer)
		log, book := logbook.New()
		h := guard.Wrap(guard.Func(func(context.Context, struct{}) (string, error) { return "done", nil }), guard.Default(log), metadata.New().Layer())
		if out, err := h.Invoke(t.Context(), []byte("{}")); string(out) != `"done"` || err != nil {
			t.Errorf("got %s and %v, want the answer", out, err)
		}
		if got := book.Only(t)["availabilityZoneId"]; got != c.want {
			t.Errorf("got the zone %v in the record, want %v", got, c.want)
		}
	}
}
