package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

func deploy(t *testing.T, env ...string) *guardtest.Function {
	t.Helper()
	return guardtest.Start(t, binary, guardtest.Config{Env: append([]string{"AWS_SAM_LOCAL=true"}, env...)})
}

func TestOnlyWhatFailedComesAgain(t *testing.T) {
	fn := deploy(t)
	for _, tc := range []struct {
		what, body string
		letter     string // the code with which it leaves the queue; "" is booked
	}{
		{what: "an order", body: `{"id":"o-1","customer":"c-42","sku":"KB-101","quantity":2}`},
		{what: "the order again", body: `{"id":"o-1","customer":"c-42","sku":"KB-101","quantity":2}`},
		{what: "another order with its id", body: `{"id":"o-1","customer":"c-42","sku":"KB-101","quantity":3}`, letter: "idempotency_key_reused"},
		{what: "no id", body: `{"customer":"c-42","sku":"KB-101","quantity":2}`, letter: "bad_order"},
		{what: "a quantity of 100", body: `{"id":"o-2","customer":"c-42","sku":"KB-101","quantity":100}`, letter: "bad_order"},
		{what: "an unknown item", body: `{"id":"o-3","customer":"c-42","sku":"XX-000","quantity":2}`, letter: "unknown_sku"},
		{what: "no JSON", body: `order 7`, letter: "malformed_json"},
		{what: "a member twice", body: `{"id":"o-4","id":"o-5"}`, letter: "duplicate_member"},
	} {
		event := sample.Of(guard.SQS).Messages(tc.body).Set("/Records/0/messageId", tc.what)
		got, err := fn.Invoke(t.Context(), event.Bytes())
		if err != nil || string(got.Payload) != `{"batchItemFailures":[]}` {
			t.Errorf("%s: got %s, %v, want no failures", tc.what, got.Payload, err)
		}
		if tc.letter != "" {
			if err := fn.WaitLog(t.Context(), "dead letter "+tc.what+": "+tc.letter); err != nil {
				t.Error(err)
			}
		} else if strings.Contains(fn.Log(), "dead letter "+tc.what+":") {
			t.Errorf("%s: got a dead letter", tc.what)
		}
	}
}

// Behind a queue each order is done; with every message sent twice, too.
func TestEveryOrderOfAQueueIsDone(t *testing.T) {
	orders := queue.New(deploy(t), queue.Config{Name: "orders", Mapping: queue.Mapping{BatchSize: 10, ReportBatchItemFailures: true}})
	for range 2 {
		for i := range 50 {
			body, _ := json.Marshal(order{ID: fmt.Sprint("o-", i), Customer: "c-42", SKU: "CB-300", Quantity: 1})
			if _, err := orders.Send(queue.Message{Body: string(body)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := orders.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := orders.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if got := orders.Ledger().Counts(); got.Done != 100 {
		t.Errorf("got %+v, want 100 done", got)
	}
}

// The filter of the template deletes rehearsals, and nothing else: what is no JSON has
// to become a dead letter.
func TestOnlyRehearsalsAreFiltered(t *testing.T) {
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, found := range regexp.MustCompile(`- Pattern: '(.*)'`).FindAllSubmatch(text, -1) {
		patterns = append(patterns, string(found[1]))
	}
	orders := queue.New(deploy(t), queue.Config{Name: "orders", Mapping: queue.Mapping{
		ReportBatchItemFailures: true, Filter: pattern.MustFilter(pattern.SQS, patterns...),
	}})
	for body, want := range map[string]source.Outcome{
		`{"id":"o-1","customer":"c-42","sku":"KB-101","quantity":2}`: source.Done,
		`{"id":"o-2","rehearsal":true}`:                              source.Filtered,
		`{"id":"o-3","rehearsal":null}`:                              source.Filtered,
		`order 7`:                                                    source.Done, // a dead letter
		`[]`:                                                         source.Done,
		`7`:                                                          source.Done,
		`""`:                                                         source.Done,
	} {
		id, err := orders.Send(queue.Message{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if err := orders.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, _ := orders.Ledger().Entry(id); got.Outcome != want {
			t.Errorf("%s: got %s, want %s", body, got.Outcome, want)
		}
	}
}

func TestNoStoreNoStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"BOOKINGS_TABLE":    {"AWS_SAM_LOCAL="},
		"IDEMPOTENCY_TABLE": {"AWS_SAM_LOCAL=", "BOOKINGS_TABLE=bookings"},
		"DEAD_LETTERS_URL":  {"AWS_SAM_LOCAL=", "BOOKINGS_TABLE=bookings", "IDEMPOTENCY_TABLE=keys"},
	} {
		fn := deploy(t, env...)
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started without %s", missing)
		}
		if err := fn.WaitLog(t.Context(), missing+" is not set"); err != nil {
			t.Error(err)
		}
	}
}
