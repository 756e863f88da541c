package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	if _, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `{"order":%q,"lines":%d}`, name, lines)); err != nil {
		t.Fatalf("%v\n%s", err, fn.Log())
	}
}

// shutDown ends the environment, for which Lambda gives 2 seconds. A shipper that cannot do
// it in that time says so.
func shutDown(t *testing.T, fn *guardtest.Function) {
	t.Helper()
	fn.Close()
	if strings.Contains(fn.Log(), "records are lost") {
		t.Skip("this machine is too busy for a shutdown within 2 seconds")
	}
}

// account is what there is of invocations.
type account struct {
	records map[string]int // in objects, by what they say
	dropped int            // and counted
	lambda  int            // of these by Lambda
	objects int
}

// account counts the records of the function and the three of Lambda on each invocation.
func (s *store) account() account {
	s.t.Helper()
	all := account{records: map[string]int{}}
	for _, lines := range s.stored() {
		all.objects++
		for _, l := range lines {
			var r struct {
				Message, Order, RequestID string
				Line, DroppedRecords      int
			}
			must(s.t, json.Unmarshal(l.Record, &r))
			switch l.Type {
			case "function", "platform.start", "platform.runtimeDone", "platform.report":
				all.records[fmt.Sprint(l.Type, r.RequestID, r.Message, r.Order, r.Line)]++
			case "platform.logsDropped":
				all.lambda += r.DroppedRecords
				all.dropped += r.DroppedRecords
			case "logshipper.logsDropped":
				all.dropped += r.DroppedRecords
			}
		}
	}
	return all
}

// until waits until the account has so many records.
func (s *store) until(want int, most time.Duration) (got account, ok bool) {
	s.t.Helper()
	for end := time.Now().Add(most); ; time.Sleep(50 * time.Millisecond) {
		got = s.account()
		if ok = len(got.records)+got.dropped == want; ok || time.Now().After(end) {
			return got, ok
		}
	}
}

// A function writes 100,000 lines while S3 is cut off, throttles, fails, hangs, and
// takes what it does not acknowledge.
func TestEachOf100000LinesIsInOneObjectOrCounted(t *testing.T) {
	const lines = 1000
	invocations := 100
	if testing.Short() {
		invocations = 10
	}
	s := newStore(t)
	fn := s.deploy(guardtest.Config{},
		"LOGSHIPPER_AGE=100ms", "LOGSHIPPER_OBJECT_BYTES=262144", "LOGSHIPPER_MEMORY_BYTES=524288")
	var hung atomic.Bool
	written := 0
	write := func(lines int) {
		order(t, fn, fmt.Sprint("o-", written), lines)
		written += lines + 4 // the function's own record of the invocation, and three of Lambda
	}
	write(lines)
	if got, ok := s.until(written, time.Minute); !ok { // the records of the init, too, are in an object now
		t.Fatalf("got %d records and %d dropped, want %d\n%s", len(got.records), got.dropped, written, fn.Log())
	}
	for i := 1; i < invocations; i++ {
		switch i * 5 / invocations {
		case 1:
			s.Meet("", awsproxy.Drop)
		case 2:
			s.Meet("", refuse(503, "SlowDown"))
		case 3:
			s.Meet("", s.lost)
		case 4:
			s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
				if hung.CompareAndSwap(false, true) {
					awsproxy.Hang(w, r, body)
					return
				}
				mishaps := []awsproxy.Mishap{s.Pass, s.Pass, s.lost, awsproxy.Drop, refuse(500, "InternalError")}
				mishaps[rand.IntN(len(mishaps))](w, r, body)
			})
		}
		write(lines)
	}
	s.Forgive()
	var got account
	for tries, ok := 0, false; !ok; tries++ {
		write(1) // what was dropped is said in the next object, so there has to be one
		if got, ok = s.until(written, 10*time.Second); !ok && tries == 20 {
			t.Fatalf("got %d records and %d dropped, want %d\n%s", len(got.records), got.dropped, written, fn.Log())
		}
	}
	for record, n := range got.records {
		if n != 1 {
			t.Errorf("got %s %d times, want it once", record, n)
		}
	}
	t.Logf("%d records: %d in %d objects, %d dropped, %d of these by Lambda", written, len(got.records), got.objects, got.dropped, got.lambda)
	if got.dropped == 0 {
		t.Error("nothing was dropped, so nothing was tested of it")
	}
}

func TestTheEndOfAnEnvironmentStoresWhatThereIs(t *testing.T) {
	s := newStore(t)
	fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_PREFIX=records/")
	order(t, fn, "o-1", 3)
	order(t, fn, "o-2", 3)
	shutDown(t, fn)
	got := s.account()
	if len(got.records) != 2*(3+4) || got.objects != 1 || got.dropped != 0 {
		t.Errorf("got %+v, want two invocations in one object\n%s", got, fn.Log())
	}
	for key := range s.stored() {
		if !strings.HasPrefix(key, "records/orders/2") || !strings.HasSuffix(key, ".ndjson.gz") {
			t.Errorf("got the key %s", key)
		}
	}
}

func TestAnInvocationIsFoundByItsID(t *testing.T) {
	s := newStore(t)
	fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_AGE=0s")
	written := 0
	for i := range 3 { // one after the other
		order(t, fn, fmt.Sprint("o-", i), 10)
		written += 14
		if got, ok := s.until(written, time.Minute); !ok {
			t.Fatalf("got %d records, want %d\n%s", len(got.records), written, fn.Log())
		}
	}
	for key, lines := range s.stored() {
		for _, l := range lines {
			id := requestOf(record{Type: l.Type, Raw: l.Record})
			if id != "" && !strings.HasSuffix(key, "-"+id+".ndjson.gz") {
				t.Errorf("the object %s has records of %s", key, id)
			}
		}
	}
}

func TestAFunctionGoesOnWhateverS3Does(t *testing.T) {
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
	s := newStore(t)
	fn := s.deploy(guardtest.Config{}, "LOGSHIPPER_AGE=60")
	if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("got no error")
	}
	if err := fn.WaitLog(t.Context(), "LOGSHIPPER_AGE is"); err != nil {
		t.Error(err)
	}
}

func TestTheRecordsOfATimeoutAreStored(t *testing.T) {
	s := newStore(t)
	fn := s.deploy(guardtest.Config{Timeout: time.Second})
	if _, err := fn.Invoke(t.Context(), []byte(`{"order":"o-1","lines":3,"millis":60000}`)); err == nil {
		t.Fatal("got no error")
	}
	shutDown(t, fn)
	if got := s.account(); got.objects == 0 {
		t.Errorf("got %+v\n%s", got, fn.Log())
	}
}

// S3 takes longer than an invocation, so that uploads are frozen half-way.
func TestWhatWasFrozenIsStoredOnce(t *testing.T) {
	for _, hold := range []string{"0s", "500ms"} {
		t.Run(hold, func(t *testing.T) {
			s := newStore(t)
			s.Meet("", func(w http.ResponseWriter, r *http.Request, body []byte) {
				reply, err := s.Forward(r, body)
				if err != nil {
					panic(http.ErrAbortHandler)
				}
				time.Sleep(50 * time.Millisecond)
				reply.Write(w, len(reply.Body))
			})
			fn := s.deploy(guardtest.Config{Freeze: true}, "LOGSHIPPER_AGE=0s", "LOGSHIPPER_HOLD="+hold)
			written := 0
			for i := range 20 {
				order(t, fn, fmt.Sprint("o-", i), 10)
				written += 14
			}
			s.Forgive()
			shutDown(t, fn)
			got := s.account()
			if len(got.records) != written || got.dropped != 0 {
				t.Errorf("got %d records and %d dropped, want %d\n%s", len(got.records), got.dropped, written, fn.Log())
			}
			for record, n := range got.records {
				if n != 1 {
					t.Errorf("got %s %d times, want it once", record, n)
				}
			}
		})
	}
}
