package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
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
	got := s.tally()
	got.mustHold(t, all)
	t.Logf("%d records in %d objects, %d dropped", len(got.texts), got.objects, got.dropped)
}

func TestARecordIsStoredWhenItIsOldThoughNothingFollows(t *testing.T) {
	s := newStore(t)
	ship := s.open(t.Output(), "LOGSHIPPER_AGE=100ms")
	ship.start(t.Context())
	defer finish(t, ship, time.Second)
	for i := range 3 { // the shipper waits before each
		must(t, ship.buffer.take(t.Context(), []record{said(fmt.Sprint(i))}))
		for end := time.Now().Add(time.Minute); len(s.stored()) != i+1; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("got %d objects in a minute, want %d", len(s.stored()), i+1)
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
	fill(1000)
	if ship.buffer.size > ship.buffer.memory {
		t.Errorf("got %d bytes, want at most %d", ship.buffer.size, ship.buffer.memory)
	}
	s.Forgive()
	ship.start(t.Context())
	finish(t, ship, time.Minute)
	got := s.tally()
	got.mustHold(t, acknowledged)
	if got.dropped == 0 || got.texts[acknowledged[0]] != 1 {
		t.Errorf("got %d dropped and the first record %d times, want some and 1", got.dropped, got.texts[acknowledged[0]])
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

// Lambda gives 2 seconds.
func TestTheEndComesInTimeWhateverS3Does(t *testing.T) {
	for _, tt := range []struct {
		name    string
		mishaps []awsproxy.Mishap
		stored  int
	}{
		{"it answers", nil, 1},
		{"one answer hangs", []awsproxy.Mishap{awsproxy.Hang}, 1},
		{"it throttles first", []awsproxy.Mishap{refuse(503, "SlowDown"), refuse(503, "SlowDown"), awsproxy.Drop}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			s.Next("", tt.mishaps...)
			ship := s.open(t.Output())
			ship.start(t.Context())
			must(t, ship.buffer.take(t.Context(), []record{said("a")}))
			finish(t, ship, 10*time.Second) // patience with a busy machine; half of it is for one attempt
			if got := s.tally(); len(got.texts) != tt.stored {
				t.Errorf("got %v, want %d", got.texts, tt.stored)
			}
		})
	}
	t.Run("it hangs for ever", func(t *testing.T) {
		s := newStore(t)
		s.Meet("", awsproxy.Hang)
		var log logbuf
		ship := s.open(&log)
		ship.start(t.Context())
		must(t, ship.buffer.take(t.Context(), []record{said("a"), said("b")}))
		before := time.Now()
		finish(t, ship, time.Second)
		if took := time.Since(before); took > 20*time.Second {
			t.Errorf("it took %v, want a second", took)
		}
		if !strings.Contains(log.String(), `"records are lost","records":2`) {
			t.Errorf("the log does not say what is lost:\n%s", log.String())
		}
	})
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
		if got := s.stored(); len(got) != i+1 {
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
