package idempotency_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestRule15LocalReplaysAskNobody(t *testing.T) {
	s := &counting{Store: idempotency.NewMemoryStore()}
	f := new(function)
	h := protect(f, s, idempotency.LocalReplays(2))
	mustAnswer(t, h, request{key: "k"})
	for range 3 {
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
	}
	mustRefuse(t, h, request{key: "k", body: `{"x":1}`}, guard.Unprocessable, "idempotency_key_reused")
	if n := s.claims.Load(); n != 1 {
		t.Errorf("%d claims, want the first call's alone", n)
	}
	other := protect(f, s, idempotency.LocalReplays(2)) // another process
	mustAnswer(t, other, request{key: "k"})
	mustAnswer(t, other, request{key: "k"})
	if n := s.claims.Load(); n != 2 {
		t.Errorf("%d claims, want one more for a replay that was not known", n-1)
	}
	f.mustHaveRun(t, 1)
}

func TestRule15LocalReplaysAreBounded(t *testing.T) {
	s := &counting{Store: idempotency.NewMemoryStore()}
	h := protect(new(function), s, idempotency.LocalReplays(2))
	for _, key := range []string{"a", "b", "a", "c"} { // b is the least recently used
		mustAnswer(t, h, request{key: key})
	}
	before := s.claims.Load()
	mustAnswer(t, h, request{key: "a"})
	mustAnswer(t, h, request{key: "c"})
	if s.claims.Load() != before {
		t.Error("what was used last is not there")
	}
	mustAnswer(t, h, request{key: "b"})
	if s.claims.Load() != before+1 {
		t.Error("more is kept than was allowed")
	}

	large := protect(answering(`{"statusCode":200,"body":"`+strings.Repeat("x", 70_000)+`"}`), s, idempotency.LocalReplays(2))
	before = s.claims.Load()
	mustAnswer(t, large, request{key: "large", path: "/large"})
	mustAnswer(t, large, request{key: "large", path: "/large"})
	if s.claims.Load() != before+2 {
		t.Error("a large result is kept")
	}
}

func TestRule15OnlyCompletedRecordsAreKept(t *testing.T) {
	s := &counting{Store: idempotency.NewMemoryStore()}
	f := failing(fmt.Errorf("broken"))
	h := protect(f, s, idempotency.LocalReplays(2))
	for range 2 {
		if _, err := ask(t, h, request{key: "k"}); err == nil {
			t.Error("no error")
		}
	}
	f.mustHaveRun(t, 2)
}

// A caller that writes into its answer spoils nobody else's.
func TestRule16ReplaysShareNothing(t *testing.T) {
	for name, opts := range map[string][]idempotency.Option{"store": nil, "local replays": {idempotency.LocalReplays(1)}} {
		f := new(function)
		h := protect(f, idempotency.NewMemoryStore(), opts...)
		mustAnswer(t, h, request{key: "k"})
		want := mustAnswer(t, h, request{key: "k"})
		var callers sync.WaitGroup
		for range 16 {
			callers.Go(func() {
				out, err := h.Invoke(context.Background(), request{key: "k"}.event())
				if err != nil || string(out) != want {
					t.Errorf("%s: %s, %v", name, out, err)
				}
				copy(out, bytes.Repeat([]byte("x"), len(out)))
			})
		}
		callers.Wait()
	}
}

// The first answer is its caller's, and so is that of a replay from the store.
func TestRule16LocalReplaysAreNotTheirFirstCallers(t *testing.T) {
	event := []byte(`{"Records":[{"messageId":"m","body":"b","eventSource":"aws:sqs"}]}`)
	store := idempotency.NewMemoryStore()
	for _, process := range []string{"the one that ran", "another"} {
		h := guard.Wrap(answering(`"answer"`), idempotency.Once(store, idempotency.Payload(), idempotency.LocalReplays(1)))
		for range 3 {
			out, err := h.Invoke(t.Context(), event)
			if err != nil || string(out) != `"answer"` {
				t.Errorf("%s: %s, %v", process, out, err)
			}
			copy(out, "spoilt")
		}
	}
}

func TestOf64EqualRequestsOneHasAnEffect(t *testing.T) {
	f := new(function)
	h := served(f, idempotency.NewMemoryStore(), idempotency.LocalReplays(8))
	var callers sync.WaitGroup
	var mu sync.Mutex
	answers := make(map[string]int)
	for range 64 {
		callers.Go(func() {
			out, err := h.Invoke(context.Background(), request{key: "k"}.event())
			if err != nil {
				t.Error(err)
				return
			}
			r := read(t, string(out))
			mu.Lock()
			answers[fmt.Sprint(r.StatusCode, " ", isReplay(string(out)))]++
			mu.Unlock()
		})
	}
	callers.Wait()
	f.mustHaveRun(t, 1)
	if answers["201 false"] != 1 || answers["201 false"]+answers["201 true"]+answers["409 false"] != 64 {
		t.Errorf("answers %v", answers)
	}
}

func TestOnReplayIsToldOfEach(t *testing.T) {
	var replayed []idempotency.Record
	h := protect(new(function), idempotency.NewMemoryStore(), idempotency.OnReplay(func(_ context.Context, r idempotency.Record, _ http.Header) { replayed = append(replayed, r) }))
	for range 3 {
		mustAnswer(t, h, request{key: "k"})
	}
	if len(replayed) != 2 || replayed[0].Status != idempotency.Completed || len(replayed[0].Result) == 0 {
		t.Errorf("reported %+v", replayed)
	}
}

func TestTheRecordOfAnInvocationNamesTheKey(t *testing.T) {
	var log bytes.Buffer
	h := guard.Wrap(new(function), guard.Log(logging.New(&log)), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))
	mustAnswer(t, h, request{key: "the-secret-key"})
	if text := log.String(); !strings.Contains(text, `"idempotencyKey":"`) || strings.Contains(text, "the-secret-key") || strings.Contains(text, "Replayed") {
		t.Errorf("logged %s", text)
	}
	log.Reset()
	mustAnswer(t, h, request{key: "the-secret-key"})
	if text := log.String(); !strings.Contains(text, `"idempotencyKey":"`) || !strings.Contains(text, `"idempotentReplayed":true`) {
		t.Errorf("logged %s", text)
	}
}
