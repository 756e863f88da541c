package idempotency_test

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

func TestReplaysAreCounted(t *testing.T) {
	var counts map[string]int
	h := counttest.Handler(protect(&function{}, idempotency.NewMemoryStore()), &counts)
	mustAnswer(t, h, request{key: "k"})
	if len(counts) != 0 {
		t.Errorf("Once, the first request: got %v, want no counts", counts)
	}
	mustAnswer(t, h, request{key: "k"})
	if want := map[string]int{layer.Replays: 1}; !maps.Equal(counts, want) {
		t.Errorf("Once, a repeat: got %v, want %v", counts, want)
	}
	mustRefuse(t, h, request{key: "k", body: `{"sku":"KB-102"}`}, guard.Unprocessable, "idempotency_key_reused")
	if len(counts) != 0 {
		t.Errorf("Once, another request with the key: got %v, want no counts", counts)
	}

	op := idempotency.NewOperation("pay", idempotency.NewMemoryStore())
	counts = counttest.Of(t.Context(), func(ctx context.Context) {
		for range 4 {
			if _, err := idempotency.Do(ctx, op, "k", nil, func(context.Context) (int, error) { return 1, nil }); err != nil {
				t.Error(err)
			}
		}
	})
	if want := map[string]int{layer.Replays: 3}; !maps.Equal(counts, want) {
		t.Errorf("Do, four times: got %v, want %v", counts, want)
	}
}

// A stored result that cannot be decoded is an error, and no replay.
func TestAResultThatCannotBeReadIsNoReplay(t *testing.T) {
	replays := 0
	op := idempotency.NewOperation("pay", idempotency.NewMemoryStore(), idempotency.OnReplay(func(context.Context, idempotency.Record, http.Header) { replays++ }))
	if _, err := idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	counts := counttest.Of(t.Context(), func(ctx context.Context) {
		_, err := idempotency.Do(ctx, op, "k", nil, func(context.Context) (string, error) { return "", nil })
		mustBe(t, nil, err, guard.Internal, "idempotency_result_unreadable")
	})
	if len(counts) != 0 || replays != 0 {
		t.Errorf("got %v and %d calls of OnReplay, want none", counts, replays)
	}
}

// The counts of records are those of the invocation that they came in.
func TestReplaysOfRecordsAreCounted(t *testing.T) {
	records := idempotency.Records(idempotency.NewOperation("book", idempotency.NewMemoryStore()),
		func(m events.SQSMessage) (string, any) { return m.Body, nil })
	fn := batch.Chain(func(context.Context, events.SQSMessage) error { return nil }, records)
	var counts map[string]int
	h := counttest.Handler(batch.SQS(fn, batch.Concurrency(2)), &counts)
	event := `{"Records":[`
	for i, body := range []string{"a", "b", "a", "b", "c"} {
		if i > 0 {
			event += ","
		}
		event += `{"messageId":"m` + string(rune('0'+i)) + `","body":"` + body + `","eventSource":"aws:sqs",` +
			`"eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders.fifo","attributes":{"MessageGroupId":"` + body + `"}}`
	}
	if _, err := h.Invoke(t.Context(), []byte(event+`]}`)); err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{layer.Replays: 2, layer.Records: 5}; !maps.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

func TestLostClaimsAreCounted(t *testing.T) {
	want := map[string]int{layer.ClaimsLost: 1}
	for name, broken := range map[string]error{"a success": nil, "a failure": context.Canceled} {
		synctest.Test(t, func(t *testing.T) {
			store := idempotency.NewMemoryStore()
			var counts map[string]int
			first := counttest.Handler(protect(&function{handle: func(context.Context, int64) ([]byte, error) {
				time.Sleep(20 * time.Second) // the lease ends after 12
				return []byte(`{"statusCode":201}`), broken
			}}, store, idempotency.AfterTimeout(idempotency.Rerun)), &counts)
			ended := make(chan struct{})
			go func() {
				_, _ = ask(t, first, request{key: "k"})
				close(ended)
			}()
			time.Sleep(13 * time.Second)
			mustAnswer(t, protect(&function{}, store, idempotency.AfterTimeout(idempotency.Rerun)), request{key: "k"})
			<-ended
			if !maps.Equal(counts, want) {
				t.Errorf("%s: got %v, want %v", name, counts, want)
			}
		})
	}
	store := &ledger{MemoryStore: idempotency.NewMemoryStore(), errs: []error{idempotency.ErrLost}}
	op := idempotency.NewOperation("enter", store)
	counts := counttest.Of(t.Context(), func(ctx context.Context) {
		_, _ = idempotency.Do(ctx, op, "k", nil, func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") })
	})
	if !maps.Equal(counts, want) {
		t.Errorf("a commit: got %v, want %v", counts, want)
	}
}
