package queue_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// The binary that would be deployed, whose process ends now and then: each message was
// handled or is in the dead-letter queue.
func TestUnmodifiedBinary(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	fn := guardtest.Start(t, guardtest.Build(t, "./testdata/orders"), guardtest.Config{
		Timeout: patient, InitTimeout: patient, Instances: 2, Env: []string{"DONE=" + done},
	})
	clock := source.NewClock(begin)
	dead := queue.New(nil, queue.Config{Name: "dead", Clock: clock})
	q := queue.New(fn, queue.Config{
		Clock: clock, Redrive: queue.Redrive{To: dead, MaxReceives: 5}, Mapping: queue.Mapping{MaximumConcurrency: 2, ReportBatchItemFailures: true},
	})
	const messages = 60
	want := map[string]bool{}
	for i := range messages {
		body := fmt.Sprintf("order %d", i)
		switch {
		case i%20 == 7:
			body = fmt.Sprintf("poison %d", i)
		case i%30 == 11:
			body = fmt.Sprintf("exit %d", i)
		}
		want[body] = true
		send(t, q, body)
	}
	drain(t, q)
	check(t, q)
	text, err := os.ReadFile(done)
	if err != nil {
		t.Fatalf("%v, and the function wrote\n%s", err, fn.Log())
	}
	for _, body := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		delete(want, body)
	}
	for _, m := range dead.Messages() {
		if !strings.HasPrefix(m.Body, "poison") {
			t.Errorf("%q is a dead letter", m.Body)
		}
		delete(want, m.Body)
	}
	if len(want) > 0 {
		t.Errorf("neither handled nor dead: %v", want)
	}
	exits := 0
	for _, e := range q.Ledger().Entries() {
		for _, d := range e.Deliveries {
			if d.Failure == guardtest.TypeExit {
				exits++
			}
		}
	}
	if exits == 0 {
		t.Error("no process ended, so the test shows nothing")
	}
}
