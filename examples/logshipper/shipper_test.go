package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// logbuf is a log that is read while it is written.
type logbuf struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbuf) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbuf) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// sinkFunc is a sink that only a context ends, for tests in a bubble of time.
type sinkFunc func(ctx context.Context) error

func (put sinkFunc) put(ctx context.Context, _ string, _ []byte) error { return put(ctx) }

// finish ends a shipper within a time, as at a SHUTDOWN.
func finish(t *testing.T, s *shipper, within time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), within)
	defer stop()
	s.finish(ctx)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecordsOfManySendersAreStoredOnceWhileS3Fails(t *testing.T) {
	const senders, batches, size = 8, 60, 50
	s := newStore(t)
	s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
		mishaps := []awsproxy.Mishap{s.Pass, s.lost, awsproxy.Drop, refuse(503, "SlowDown"), refuse(500, "InternalError"), refuse(409, "ConditionalRequestConflict")}
		mishaps[rand.IntN(len(mishaps))](w, r, body)
	})
	ship := s.open(t.Output(), "LOGSHIPPER_OBJECT_BYTES=65536", "LOGSHIPPER_MEMORY_BYTES=131072", "LOGSHIPPER_AGE=20ms")
	ship.start(t.Context())

	var sending sync.WaitGroup
	acknowledged := make([][]string, senders)
	for sender := range senders {
		sending.Go(func() {
			for b := range batches {
				var batch []record
				for i := range size {
					r := said(fmt.Sprintf("%d/%d/%d %x", sender, b, i, rand.Uint64())) // hard to compress
					batch = append(batch, r)
					acknowledged[sender] = append(acknowledged[sender], string(r.Raw))
				}
				if err := ship.buffer.take(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	s.Forgive()
	finish(t, ship, time.Minute)

	var all []string
	for _, texts := range acknowledged {
		all = append(all, texts...)
	}
	got := s.account()
	got.mustHold(t, all)
	t.Logf("of %d: %v", len(all), got)
}

func TestARecordIsStoredWhenItIsOldThoughNothingFollows(t *testing.T) {
	s := newStore(t)
	ship := s.open(t.Output(), "LOGSHIPPER_AGE=100ms")
	ship.start(t.Context())
	defer finish(t, ship, time.Second)
	for i := range 3 { // the shipper waits before each
		must(t, ship.buffer.take(t.Context(), []record{said(fmt.Sprint(i))}))
		for end := time.Now().Add(time.Minute); len(s.account().objects) != i+1; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("got %d objects in a minute, want %d", len(s.account().objects), i+1)
			}
		}
	}
}

// With versions one sees that the retry of what was stored writes nothing.
func TestAnAnswerThatIsLostMakesNoSecondObject(t *testing.T) {
	s := newStore(t)
	_, err := s.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &s.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	must(t, err)
	s.Next("", s.lost, s.lost)
	ship := s.open(t.Output(), "LOGSHIPPER_AGE=0s")
	must(t, ship.buffer.take(t.Context(), []record{said("a"), of("platform.report", "r-1")}))
	ship.storeAll(t.Context())
	if n := s.Taken()[""]; n != 3 {
		t.Errorf("got %d attempts, want 3", n)
	}
	got, err := s.client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &s.bucket})
	must(t, err)
	if len(got.Versions) != 1 {
		t.Errorf("got %d versions, want 1", len(got.Versions))
	}
}

// An object that was sent may be stored, though nobody heard of it.
func TestAnObjectThatMayBeStoredIsNotDropped(t *testing.T) {
	s := newStore(t)
	ship := s.open(t.Output(), "LOGSHIPPER_OBJECT_BYTES=65536", "LOGSHIPPER_MEMORY_BYTES=131072")
	sentence := func() string { return randomText(1 << 10) }
	var acknowledged []string
	fill := func(n int) {
		for range n {
			r := said(sentence())
			must(t, ship.buffer.take(t.Context(), []record{r}))
			acknowledged = append(acknowledged, string(r.Raw))
		}
	}
	fill(70) // an object, and some
	ctx, cancel := context.WithCancel(t.Context())
	s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
		defer cancel()
		s.lost(w, r, body)
	})
	ship.storeAll(ctx)
	fill(400)
	if ship.buffer.size > ship.buffer.memory {
		t.Errorf("got %d bytes, want at most %d", ship.buffer.size, ship.buffer.memory)
	}
	s.Forgive()
	ship.start(t.Context())
	finish(t, ship, time.Minute)
	got := s.account()
	got.mustHold(t, acknowledged)
	if got.dropped == 0 || got.records[acknowledged[0]] != 1 {
		t.Errorf("got %d dropped and the first record %d times, want some and 1", got.dropped, got.records[acknowledged[0]])
	}
}

func randomText(n int) string {
	var text strings.Builder
	for text.Len() < n {
		fmt.Fprintf(&text, "%016x", rand.Uint64())
	}
	return text.String()
}

func TestS3ThatRefusesForEverIsInTheLogOnceAMinute(t *testing.T) {
	for name, mishap := range map[string]awsproxy.Mishap{
		"AccessDenied":      refuse(403, "AccessDenied"),
		"NoSuchBucket":      refuse(404, "NoSuchBucket"),
		"PermanentRedirect": refuse(301, "PermanentRedirect"), // another region
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.Meet("", mishap)
			var log logbuf
			ship := s.open(&log, "LOGSHIPPER_AGE=0s")
			now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
			ship.buffer.now = func() time.Time { return now }
			must(t, ship.buffer.take(t.Context(), []record{said("a"), of("platform.report", "r-1")}))
			attempts := func(n int) {
				for range n {
					if err := ship.store(t.Context(), ship.buffer.next()); err == nil {
						t.Fatal("got no error")
					}
				}
			}
			attempts(5)
			now = now.Add(59 * time.Second)
			attempts(5)
			if n := strings.Count(log.String(), name); n != 1 {
				t.Errorf("got %d lines within a minute, want 1:\n%s", n, log.String())
			}
			now = now.Add(time.Second)
			attempts(1)
			now = now.Add(-time.Hour) // the clock is set right
			attempts(1)
			if n := strings.Count(log.String(), name); n != 3 {
				t.Errorf("got %d lines, want 3:\n%s", n, log.String())
			}
			s.Forgive()
			must(t, ship.store(t.Context(), ship.buffer.next()))
			if !strings.Contains(log.String(), `"records are stored again","failures":12`) {
				t.Errorf("the log does not say that it is over:\n%s", log.String())
			}
		})
	}
}

// status is the answer of a sink that has not stored an object.
type status int

func (s status) Error() string       { return fmt.Sprintf("answered %d", int(s)) }
func (s status) HTTPStatusCode() int { return int(s) }

func TestTheEndComesInTimeWhateverS3Does(t *testing.T) {
	const left = 1700 * time.Millisecond // of the 2 seconds that Lambda gives
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	answers := func(err error) sinkFunc {
		return func(context.Context) error { return err }
	}
	refuses := answers(status(http.StatusForbidden))
	cut := answers(fmt.Errorf("send: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")}))
	type line struct{ msg, cause string }
	lost := func(n int, cause string) line {
		return line{fmt.Sprintf(`"msg":"records are lost","records":%d,`, n), cause}
	}
	unknown := func(n int, cause string) line {
		return line{fmt.Sprintf(`"msg":"records may be lost: they were sent, and there was no answer","records":%d,`, n), cause}
	}
	const late = `"cause":"context deadline exceeded"`
	for _, tt := range []struct {
		name   string
		within time.Duration
		sinks  []sinkFunc // one for each attempt, the last one for all further ones
		want   []line     // of the log; none if all is stored
	}{
		{"it answers", left, []sinkFunc{answers(nil)}, nil},
		{"one answer hangs", left, []sinkFunc{hangs, answers(nil)}, nil},
		{"two answers hang", left, []sinkFunc{hangs, hangs, answers(nil)}, nil},
		{"it throttles first", left, []sinkFunc{answers(status(503)), answers(status(503)), answers(nil)}, nil},
		{"it hangs for ever", left, []sinkFunc{hangs}, []line{lost(1, late), unknown(2, late)}},
		{"it fails for ever", left, []sinkFunc{answers(status(500))}, []line{lost(1, "answered 500"), unknown(2, "answered 500")}},
		{"it refuses for ever", left, []sinkFunc{refuses}, []line{lost(3, "answered 403")}},
		{"it refuses after it has hung", left, []sinkFunc{hangs, refuses}, []line{lost(1, "answered 403"), unknown(2, "answered 403")}},
		{"it cannot be reached", left, []sinkFunc{cut}, []line{lost(3, "connection refused")}},
		{"there is no time", 0, []sinkFunc{answers(nil)}, []line{lost(3, late)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				settings := usual()
				ship := newShipper(newBuffer(settings, "orders"), sinkFunc(func(ctx context.Context) error {
					sink := tt.sinks[0]
					tt.sinks = tt.sinks[min(1, len(tt.sinks)-1):]
					return sink(ctx)
				}), slog.New(slog.NewJSONHandler(&log, nil)))
				must(t, ship.buffer.take(t.Context(), []record{said("a"), said("b")}))
				ship.buffer.sealAll()
				must(t, ship.buffer.take(t.Context(), []record{said("c")}))
				ship.stop = func() {}
				before := time.Now()
				finish(t, ship, tt.within)
				if took := time.Since(before); took > tt.within {
					t.Errorf("it took %v, want %v", took, tt.within)
				}
				var got []string
				for text := range strings.Lines(log.String()) {
					if strings.Contains(text, "lost") {
						got = append(got, text)
					}
				}
				if len(got) != len(tt.want) || ship.buffer.waits() != (len(tt.want) > 0) {
					t.Fatalf("got %q, want %q", got, tt.want)
				}
				for i, want := range tt.want {
					if !strings.Contains(got[i], want.msg) || !strings.Contains(got[i], want.cause) {
						t.Errorf("got %s, want %s and %s", got[i], want.msg, want.cause)
					}
				}
			})
		})
	}
}

// An attempt under way may succeed though it was given up.
func TestTheEndWaitsForTheAttemptUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := usual()
		settings.age = 0
		attempts := 0
		ship := newShipper(newBuffer(settings, "orders"), sinkFunc(func(ctx context.Context) error {
			if attempts++; attempts == 1 {
				<-ctx.Done()
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		}), slog.New(slog.DiscardHandler))
		ship.start(t.Context())
		must(t, ship.buffer.take(t.Context(), []record{said("a")}))
		synctest.Wait()
		must(t, ship.buffer.take(t.Context(), []record{said("b")}))
		finish(t, ship, time.Second)
		if attempts != 2 || ship.buffer.waits() {
			t.Errorf("got %d attempts, want one for each object", attempts)
		}
	})
}

func TestAnErrorSaysWhetherAnObjectMayBeStored(t *testing.T) {
	s := newStore(t)
	gone := newStore(t)
	gone.Close()
	var leave context.CancelFunc
	for _, tt := range []struct {
		name    string
		store   *store
		mishap  awsproxy.Mishap
		refused bool
	}{
		{"denied", s, refuse(403, "AccessDenied"), true},
		{"another region", s, refuse(301, "PermanentRedirect"), true},
		{"a conflict", s, refuse(409, "ConditionalRequestConflict"), true},
		{"nobody there", gone, nil, true},
		{"a fault", s, refuse(500, "InternalError"), false},
		{"cut off", s, awsproxy.Drop, false},
		{"no answer", s, func(w http.ResponseWriter, r *http.Request, body []byte) {
			leave()
			awsproxy.Hang(w, r, body)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.store.Meet("", tt.mishap)
			var within context.Context
			within, leave = context.WithCancel(t.Context())
			defer leave()
			err := tt.store.open(t.Output()).sink.put(within, "key", nil)
			if err == nil || refused(err) != tt.refused {
				t.Errorf("got %v, want an error by which it may be stored: %t", err, !tt.refused)
			}
		})
	}
}

func TestAnInvocationHoldsTheEnvironmentForAnUpload(t *testing.T) {
	s := newStore(t)
	ship := s.open(t.Output(), "LOGSHIPPER_AGE=0s")
	ship.start(t.Context())
	defer finish(t, ship, time.Second)
	ship.hold(time.Hour) // there is nothing to wait for
	for i := range 5 {
		must(t, ship.buffer.take(t.Context(), []record{said("a"), of("platform.report", fmt.Sprint("r-", i))}))
		ship.hold(time.Hour)
		if got := s.account().objects; len(got) != i+1 {
			t.Fatalf("got %d objects, want %d", len(got), i+1)
		}
	}
}

func TestNothingIsHeldForS3ThatFails(t *testing.T) {
	for name, mishap := range map[string]awsproxy.Mishap{"refuses": refuse(403, "AccessDenied"), "hangs": awsproxy.Hang} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.Meet("", mishap)
			ship := s.open(t.Output(), "LOGSHIPPER_AGE=0s")
			ship.start(t.Context())
			must(t, ship.buffer.take(t.Context(), []record{said("a"), of("platform.report", "r-1")}))
			if name == "hangs" {
				ship.hold(10 * time.Millisecond) // it is over in time
			} else {
				ship.hold(time.Hour) // the first attempt ends it
				ship.hold(time.Hour) // and then there is none
			}
			s.Forgive()
			finish(t, ship, time.Minute)
		})
	}
}

// A connection does not outlive a freeze. Nor does the pause after a failure end in it:
// the clock that timers follow may stand still.
func TestAnUploadThatAFreezeBrokeIsHeldForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frozen atomic.Int64
		attempts := 0
		settings := usual()
		settings.age = 0
		b := newBuffer(settings, "orders")
		b.now = func() time.Time { return time.Now().Add(time.Duration(frozen.Load())) }
		ship := newShipper(b, sinkFunc(func(context.Context) error {
			if attempts++; attempts <= 12 {
				return errors.New("connection reset by peer")
			}
			return nil
		}), slog.New(slog.DiscardHandler))
		ship.start(t.Context())
		must(t, b.take(t.Context(), []record{said("a")}))
		before := time.Now()
		ship.hold(time.Hour)
		for want := 1; want <= 12; want++ {
			if attempts != want || !b.waits() {
				t.Errorf("got %d attempts, want %d", attempts, want)
			}
			ship.hold(time.Hour) // S3 fails: nothing to wait for
			if want == 6 {
				frozen.Store(0) // the clock goes back
			} else {
				frozen.Add(int64(time.Hour))
			}
			ship.hold(time.Hour)
		}
		if took := time.Since(before); b.waits() || took != 0 {
			t.Errorf("after %d attempts and %v nothing is stored, want it at once", attempts, took)
		}
		finish(t, ship, time.Second)
	})
}
