package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

func deploy(t *testing.T, env ...string) *guardtest.Function {
	t.Helper()
	return guardtest.Start(t, binary, guardtest.Config{Concurrency: 16, Timeout: 10 * time.Second, Env: append([]string{"AWS_SAM_LOCAL=true"}, env...)})
}

func TestTheSampleIsBooked(t *testing.T) {
	event, err := os.ReadFile("purchase.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := deploy(t).Invoke(t.Context(), event)
	if err != nil || string(got.Payload) != `{"booked":1}` {
		t.Errorf("got %s and %v", got.Payload, err)
	}
}

// The unmodified binary behind Lambda's asynchronous invocation, with duplicates that
// come at the same time.
func TestEveryEventIsDone(t *testing.T) {
	fn := deploy(t)
	purchases := async.New(fn, async.Config{Concurrency: 16})
	for i := range 40 {
		message := fmt.Sprintf(`{"type":"purchase.completed","id":"p-%d","customer":"c-42","cents":100}`, i)
		if i%10 == 0 {
			message = "no purchase"
		}
		id, err := purchases.Invoke(notification(message))
		if err == nil {
			err = purchases.Duplicate(id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := purchases.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := purchases.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if got := purchases.Ledger().Counts(); got.Sent != 40 || got.Done != 40 {
		t.Errorf("got %+v, want 40 done", got)
	}
	if err := fn.WaitLog(t.Context(), ": malformed_json"); err != nil {
		t.Error(err)
	}
}

func TestNoStoreNoStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"POINTS_TABLE":      {"AWS_SAM_LOCAL="},
		"IDEMPOTENCY_TABLE": {"POINTS_TABLE=points"},
		"DEAD_LETTERS_URL":  {"POINTS_TABLE=points", "IDEMPOTENCY_TABLE=keys"},
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
