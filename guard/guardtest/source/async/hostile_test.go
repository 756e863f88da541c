package async_test

import (
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
)

// A Runtime knows invocations by their request ids, also behind a reserved concurrency.
func TestDuplicatesBehindAReservedConcurrency(t *testing.T) {
	rt, err := guardtest.NewRuntime(guardtest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	go answerAll("http://" + rt.Addr() + "/2018-06-01/runtime/invocation/")

	a := async.New(source.ReservedConcurrency(rt, 2), async.Config{Concurrency: 2})
	id := invoke(t, a, `{}`)
	if err := a.Duplicate(id); err != nil {
		t.Fatal(err)
	}
	drainAsync(t, a)
	if e := entryOf(t, a, id); e.Outcome != source.Done || len(e.Deliveries) != 2 {
		t.Errorf("got %s after %d deliveries, want done after 2", e.Outcome, len(e.Deliveries))
	}
}

// answerAll is a function that answers null, until its runtime is closed.
func answerAll(invocations string) {
	for {
		next, err := http.Get(invocations + "next")
		if err != nil {
			return
		}
		_ = next.Body.Close()
		answer, err := http.Post(invocations+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", http.NoBody)
		if err != nil {
			return
		}
		_ = answer.Body.Close()
	}
}
