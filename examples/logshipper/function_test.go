package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// deploy runs the function with the shipper beside it, both as they are deployed.
func (s *store) deploy(cfg guardtest.Config, more ...string) *guardtest.Function {
	s.t.Helper()
	binaries.build(s.t)
	cfg.Name, cfg.Region, cfg.Memory, cfg.InitTimeout = "orders", "eu-central-1", 512, time.Minute
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	cfg.Extensions, cfg.Env = filepath.Dir(binaries.shipper), append(s.env(more...), "AWS_LAMBDA_LOG_FORMAT=JSON") // as in the template
	return guardtest.Start(s.t, binaries.function, cfg)
}

// order invokes the function, which writes that many lines.
func order(t testing.TB, fn *guardtest.Function, name string, lines int) {
	t.Helper()
	orderFor(t, fn, name, lines, 0)
}

// orderFor has the function take some milliseconds after its lines.
func orderFor(t testing.TB, fn *guardtest.Function, name string, lines, millis int) {
	t.Helper()
	if _, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `{"order":%q,"lines":%d,"millis":%d}`, name, lines, millis)); err != nil {
		t.Fatalf("%v\n%s", err, fn.Log())
	}
}

// recordsOf is how many records there are of an invocation with so many lines: the function's
// own on the invocation, and three of Lambda besides.
func recordsOf(lines int) int { return lines + 4 }

// until waits until the account has so many records.
func (s *store) until(want int, most time.Duration) (got *account, ok bool) {
	s.t.Helper()
	for end := time.Now().Add(most); ; time.Sleep(50 * time.Millisecond) {
		got = s.account()
		if ok = len(got.records)+got.dropped == want; ok || time.Now().After(end) {
			return got, ok
		}
	}
}

// A function writes 100,000 lines while S3 hangs, is cut off, throttles, takes what it
// does not acknowledge, and fails now and then. Between these it is well, so that the
// pauses between attempts stay short.
func TestEachOf100000LinesIsInOneObjectOrCounted(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	fn := s.deploy(guardtest.Config{Log: io.Discard},
		"LOGSHIPPER_AGE=100ms", "LOGSHIPPER_OBJECT_BYTES=65536", "LOGSHIPPER_MEMORY_BYTES=131072")
	written := 0
	write := func(lines int) {
		order(t, fn, fmt.Sprint("o-", written), lines)
		written += recordsOf(lines)
	}
	for _, phase := range []struct {
		name        string
		invocations int
		mishap      awsproxy.Mishap
	}{
		{"it answers", 1, s.Pass},       // and has the records of the init then
		{"it hangs", 54, awsproxy.Hang}, // an attempt takes 5 seconds
		{"it is cut off", 12, awsproxy.Drop},
		{"it throttles", 12, refuse(503, "SlowDown")},
		{"its answers are lost", 12, s.lost},
		{"it fails now and then", 9, func(w http.ResponseWriter, r *http.Request, body []byte) {
			mishaps := []awsproxy.Mishap{s.Pass, s.Pass, s.lost, awsproxy.Drop, refuse(500, "InternalError")}
			mishaps[rand.IntN(len(mishaps))](w, r, body)
		}},
	} {
		s.Meet("", phase.mishap)
		for range phase.invocations {
			write(1000)
		}
		s.Forgive()
		for tries, ok := 0, false; !ok; tries++ {
			write(1) // what was dropped is said in the next object, so there has to be one
			var got *account
			if got, ok = s.until(written, 10*time.Second); !ok && tries == 20 {
				t.Fatalf("%s: got %v, want %d\n%s", phase.name, got, written, fn.Log())
			}
		}
	}
	got := s.account()
	got.mustBeOnce(t)
	t.Logf("of %d: %v", written, got)
	if got.dropped == 0 {
		t.Error("nothing was dropped, so nothing was tested of it")
	}
}

func TestAnInvocationIsFoundByItsID(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_AGE=0s")
	written := 0
	for i := range 3 { // one after the other
		order(t, fn, fmt.Sprint("o-", i), 10)
		written += recordsOf(10)
		if got, ok := s.until(written, time.Minute); !ok {
			t.Fatalf("got %v, want %d\n%s", got, written, fn.Log())
		}
	}
	for key, lines := range s.account().objects {
		for _, l := range lines {
			id := requestOf(record{Type: l.Type, Raw: l.Record})
			if id != "" && !strings.HasSuffix(key, "-"+id+".ndjson.gz") {
				t.Errorf("the object %s has records of %s", key, id)
			}
		}
	}
}

func TestAFunctionGoesOnWhateverS3Does(t *testing.T) {
	t.Parallel()
	for name, mishap := range map[string]awsproxy.Mishap{
		"denied": refuse(403, "AccessDenied"), "no bucket": refuse(404, "NoSuchBucket"), "no answer": awsproxy.Hang,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.Meet("", mishap)
			fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_AGE=0s", "LOGSHIPPER_HOLD=100ms")
			for i := range 20 {
				order(t, fn, fmt.Sprint(i), 10)
			}
			if n := strings.Count(fn.Log(), "records cannot be stored"); n > 1 {
				t.Errorf("got %d lines about it, want one a minute", n)
			}
			s.Forgive()
		})
	}
}

func TestAWrongSettingFailsTheInit(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_AGE=60")
	if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("got no error")
	}
	if err := fn.WaitLog(t.Context(), "LOGSHIPPER_AGE is"); err != nil {
		t.Error(err)
	}
}

// S3 takes longer than an invocation, so that uploads are frozen half-way. They end
// when an invocation takes long, or is held for them.
func TestWhatWasFrozenIsStoredOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hold   string
		millis int
	}{{"0s", 200}, {"500ms", 0}} {
		t.Run(tt.hold, func(t *testing.T) {
			s := newStore(t)
			s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
				reply, err := s.Forward(r, body)
				if err != nil {
					panic(http.ErrAbortHandler)
				}
				time.Sleep(50 * time.Millisecond)
				reply.Write(w, len(reply.Body))
			})
			fn := s.deploy(guardtest.Config{Freeze: true}, "LOGSHIPPER_AGE=0s", "LOGSHIPPER_HOLD="+tt.hold)
			const frozen, lines = 20, 10
			for i := range frozen {
				order(t, fn, fmt.Sprint("o-", i), lines)
			}
			s.Forgive()
			got := s.account()
			for end := time.Now().Add(time.Minute); len(got.records) < frozen*recordsOf(lines); got = s.account() {
				if time.Now().After(end) {
					t.Fatalf("got %v, want %d records\n%s", got, frozen*recordsOf(lines), fn.Log())
				}
				orderFor(t, fn, "last", 1, tt.millis)
			}
			fn.Close()
			s.account().mustBeOnce(t)
			if got.dropped != 0 {
				t.Errorf("got %v, want none dropped\n%s", got, fn.Log())
			}
		})
	}
}
