package dynamo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestAResultAtTheLimitOfAnItem(t *testing.T) {
	const kB = 1 << 10
	for size, kept := range map[int]bool{399 * kB: true, 400 * kB: false, 4096 * kB: false} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := setUp(t)
			result := make([]byte, size)
			_, _ = rand.Read(result)
			r := record(b.key, 1, time.Minute)
			if _, err := b.store.Claim(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			r.Result = result
			b.Taken()
			err := b.store.Complete(t.Context(), r)
			if kept {
				held, claimErr := b.store.Claim(t.Context(), record(b.key, 1, time.Minute))
				if err != nil || !errors.Is(claimErr, idempotency.ErrHeld) || !bytes.Equal(held.Result, result) {
					t.Errorf("complete: %v, claim: %v, %d bytes", err, claimErr, len(held.Result))
				}
				return
			}
			if !errors.Is(err, idempotency.ErrTooLarge) {
				t.Errorf("complete: %v, want ErrTooLarge", err)
			}
			b.mustTake(t, map[string]int{}) // it is known without a request
		})
	}
}

// What gets small is kept up to what is unpacked again.
func TestAResultAtTheLimitOfWhatIsUnpacked(t *testing.T) {
	b := setUp(t)
	r := record(b.key, 1, time.Minute)
	if _, err := b.store.Claim(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Result = make([]byte, 32<<20+1)
	if err := b.store.Complete(t.Context(), r); !errors.Is(err, idempotency.ErrTooLarge) {
		t.Errorf("a byte too many: %v", err)
	}
	r.Result = r.Result[1:]
	err := b.store.Complete(t.Context(), r)
	held, claimErr := b.store.Claim(t.Context(), record(b.key, 1, time.Minute))
	if err != nil || !errors.Is(claimErr, idempotency.ErrHeld) || !bytes.Equal(held.Result, r.Result) {
		t.Errorf("complete: %v, claim: %v, %d bytes", err, claimErr, len(held.Result))
	}
}

// What the server finds too large is, whatever was computed here.
func TestAnItemThatTheServerFindsTooLarge(t *testing.T) {
	b := setUp(t)
	b.next("UpdateItem", refuse(400, "ValidationException", "Item size to update has exceeded the maximum allowed size"))
	b.mustDo(t, "result 1")
	_, err := b.do(t)
	mustBe(t, err, guard.Unprocessable, "idempotency_result_unavailable")
	if b.runs != 1 {
		t.Errorf("ran %d times", b.runs)
	}
}

func TestOnceOverDynamoDBHasOneEffectOf64(t *testing.T) {
	b := setUp(t)
	var mu sync.Mutex
	runs, answers := 0, make(map[string]int)
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		runs++
		return []byte(`{"statusCode":201,"body":"order"}`), nil
	}), idempotency.Once(b.store, idempotency.Header("Idempotency-Key")))
	event := []byte(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","headers":{"idempotency-key":"k"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			out, err := h.Invoke(t.Context(), bytes.Clone(event))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && strings.Contains(string(out), "Idempotent-Replayed"):
				answers["replayed"]++
			case err == nil:
				answers["first"]++
			case guard.KindOf(err) == guard.Conflict:
				answers["conflict"]++
			default:
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if runs != 1 || answers["first"] != 1 || answers["first"]+answers["replayed"]+answers["conflict"] != 64 {
		t.Errorf("%d runs, answers %v", runs, answers)
	}
}
