package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// deploy runs the binary behind a stream with the mapping of the template.
func deploy(t *testing.T, cfg stream.Config) (*stream.Stream, *guardtest.Function) {
	t.Helper()
	fn := guardtest.Start(t, binary, guardtest.Config{Timeout: 30 * time.Second, Env: []string{"AWS_SAM_LOCAL=true"}})
	cfg.Name = "movements"
	cfg.BatchSize, cfg.BatchWindow = 100, time.Second
	cfg.ReportBatchItemFailures, cfg.BisectBatchOnFunctionError = true, true
	cfg.MaximumRetryAttempts, cfg.MaximumRecordAge = new(10), 24*time.Hour
	cfg.Filter = pattern.MustFilter(pattern.Kinesis, filterOf(t))
	cfg.Clock = source.NewClock(time.Now())
	return stream.New(fn, cfg), fn
}

// filterOf is the filter of the template.
func filterOf(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`- Pattern: '(.*)'`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the template has no filter")
	}
	return string(found[1])
}

func drain(t *testing.T, s *stream.Stream, fn *guardtest.Function) {
	t.Helper()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatalf("%v, and the function wrote\n%s", err, fn.Log())
	}
	if err := s.Ledger().Check(); err != nil {
		t.Errorf("%v, and the function wrote\n%s", err, fn.Log())
	}
}

// levels are the pieces of each article, as the function logged them last, and letters the
// codes of its dead letters by id.
func levels(t *testing.T, fn *guardtest.Function) (pieces map[string]int, letters map[string]string) {
	t.Helper()
	fn.Close() // the log is whole then
	pieces, letters = map[string]int{}, map[string]string{}
	for line := range strings.Lines(fn.Log()) {
		var r struct {
			Message, SKU, ID, Code string
			Pieces                 int
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch r.Message {
		case "stock":
			pieces[r.SKU] = r.Pieces
		case "dead letter":
			letters[r.ID] = r.Code
		}
	}
	return pieces, letters
}

func put(s *stream.Stream, id, sku string, pieces int) string {
	return s.Put(sku, fmt.Appendf(nil, `{"id":%q,"warehouse":"main","sku":%q,"pieces":%d}`, id, sku, pieces))
}

func TestTheStockIsThatOfAllMovements(t *testing.T) {
	s, fn := deploy(t, stream.Config{Shards: 4})
	want := map[string]int{}
	for i := range 1000 {
		sku := fmt.Sprintf("KB-%03d", i%20)
		put(s, fmt.Sprintf("m-%d", i), sku, i+1)
		want[sku] += i + 1
	}
	drain(t, s, fn)
	got, letters := levels(t, fn)
	if fmt.Sprint(got) != fmt.Sprint(want) || len(letters) > 0 {
		t.Errorf("got the stock %v and the dead letters %v, want %v and none", got, letters, want)
	}
	if counts := s.Ledger().Counts(); counts.Done != 1000 {
		t.Errorf("got %+v, want 1000 done", counts)
	}
}

// What cannot be booked holds up none, and is in the dead letters with the reason.
func TestWhatCanNeverBeBookedIsADeadLetter(t *testing.T) {
	s, fn := deploy(t, stream.Config{})
	want := map[string]string{}
	put(s, "m-1", "KB-101", 5)
	want[put(s, "m-2", "keyboard", 5)] = "movement_invalid"
	want[put(s, "", "KB-101", 5)] = "movement_invalid"
	want[put(s, "m-3", "KB-101", 0)] = "movement_invalid"
	want[s.Put("KB-101", []byte(`{"warehouse":"main","id":"m-4","id":"m-5"}`))] = "duplicate_member"
	want[s.Put("KB-101", []byte(`{"warehouse":"main","id":4}`))] = "wrong_type"
	put(s, "m-6", "KB-101", -2)
	drain(t, s, fn)
	got, letters := levels(t, fn)
	if got["KB-101"] != 3 || len(got) != 1 {
		t.Errorf("got the stock %v, want 3 of KB-101", got)
	}
	if fmt.Sprint(letters) != fmt.Sprint(want) {
		t.Errorf("got the dead letters %v, want %v", letters, want)
	}
	if counts := s.Ledger().Counts(); counts.Batches != 1 {
		t.Errorf("got %+v, want one batch: nothing comes again", counts)
	}
}

// A movement that comes again changes nothing; the same id with another movement is a
// mistake of the sender.
func TestAMovementIsBookedOnce(t *testing.T) {
	s, fn := deploy(t, stream.Config{})
	for range 3 {
		put(s, "m-1", "KB-101", 5)
	}
	other := put(s, "m-1", "KB-101", 6)
	drain(t, s, fn)
	got, letters := levels(t, fn)
	if got["KB-101"] != 5 {
		t.Errorf("got the stock %v, want 5 of KB-101", got)
	}
	if len(letters) != 1 || letters[other] == "" {
		t.Errorf("got the dead letters %v, want the other movement %s", letters, other)
	}
}

// The mapping's filter is tested here, since nothing shows at AWS what it drops.
func TestOnlyMovementsOfTheMainWarehouseArrive(t *testing.T) {
	s, fn := deploy(t, stream.Config{})
	put(s, "m-1", "KB-101", 5)
	for _, data := range []string{
		`{"id":"m-2","warehouse":"north","sku":"KB-101","pieces":7}`,
		`{"id":"m-3","sku":"KB-101","pieces":7}`,
		`id=m-4`,
	} {
		entry, _ := s.Ledger().Entry(s.Put("KB-101", []byte(data)))
		if entry.Outcome != source.Filtered {
			t.Errorf("%s is %s, want it filtered", data, entry.Outcome)
		}
	}
	drain(t, s, fn)
	if got, _ := levels(t, fn); got["KB-101"] != 5 {
		t.Errorf("got the stock %v, want 5 of KB-101", got)
	}
}

func TestNoStoreNoStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"STOCK_TABLE":       {"AWS_SAM_LOCAL="},
		"IDEMPOTENCY_TABLE": {"AWS_SAM_LOCAL=", "STOCK_TABLE=stock"},
		"DEAD_LETTERS_URL":  {"AWS_SAM_LOCAL=true", "STOCK_TABLE=stock", "IDEMPOTENCY_TABLE=keys"},
	} {
		fn := guardtest.Start(t, binary, guardtest.Config{Env: env})
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started without %s", missing)
		}
		if err := fn.WaitLog(t.Context(), missing+" is not set"); err != nil {
			t.Error(err)
		}
	}
}
