package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// A lease ends while the handler is at work: what the late attempt has staged is
// not written, whatever has become of the key.
func TestStageOfAnAttemptThatHasLostItsKeyWritesNothing(t *testing.T) {
	later := func() time.Time { return time.Now().Add(time.Hour) }
	for name, meanwhile := range map[string]func(t *testing.T, s *shop, op idempotency.Operation) []string{
		"to one who is at work": func(t *testing.T, s *shop, op idempotency.Operation) []string {
			store := dynamo.New(s.direct, s.table)
			store.SetClock(later)
			held, _ := store.Claim(t.Context(), record(keyOf(t, s), 1, time.Minute))
			if _, err := store.Claim(t.Context(), record(held.Key, held.Epoch+1, time.Hour)); err != nil {
				t.Error(err)
			}
			return nil
		},
		"to one who is done": func(t *testing.T, s *shop, op idempotency.Operation) []string {
			if got, err := idempotency.Do(t.Context(), op, s.key, nil, s.place); got != "order 1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			return []string{"order 1"}
		},
		"to one who has failed": func(t *testing.T, s *shop, op idempotency.Operation) []string {
			broken := errors.New("broken")
			_, err := idempotency.Do(t.Context(), op, s.key, nil, func(context.Context) (int, error) { return 0, broken })
			if !errors.Is(err, broken) {
				t.Error(err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			fast := dynamo.New(s.direct, s.table)
			fast.SetClock(later)
			var want []string
			_, err := s.do(t, func(ctx context.Context) (string, error) {
				want = meanwhile(t, s, idempotency.NewOperation("charge", fast))
				return "late", dynamo.Stage(ctx, s.add("late"), s.count())
			})
			mustBe(t, err, guard.Conflict, "idempotency_lease_lost")
			if !errors.Is(err, idempotency.ErrLost) {
				t.Errorf("%v is not ErrLost", err)
			}
			s.mustHave(t, want...)
			if counts := s.Taken(); counts["UpdateItem"] != 0 || counts["GetItem"] != 0 || counts["TransactWriteItems"] != 1 {
				t.Errorf("requests %v", counts)
			}
		})
	}
}

func keyOf(t *testing.T, s *shop) string {
	t.Helper()
	key, err := attribute(s.item(t), "id")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Thirty-two attempts at once. Each believes that all leases are over, so that
// many handlers run: one set of writes is there.
func TestStageOf32AttemptsIsThereOnce(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"and leases hold": 0, "and no lease holds": time.Hour} {
		t.Run("of Do, "+name, func(t *testing.T) {
			s := openShop(t)
			s.store.SetClock(func() time.Time { return time.Now().Add(ahead) })
			var mu sync.Mutex
			runs, outcomes := 0, map[string]int{}
			together(32, func(i int) {
				got, err := idempotency.Do(t.Context(), s.op, s.key, nil, func(ctx context.Context) (string, error) {
					mu.Lock()
					runs++
					mu.Unlock()
					name := fmt.Sprint("order ", i)
					return name, dynamo.Stage(ctx, s.add(name), s.count())
				})
				mu.Lock()
				defer mu.Unlock()
				switch kind := guard.KindOf(err); {
				case err == nil:
					outcomes[got]++
				case kind != guard.Conflict:
					t.Error(err)
				}
			})
			got, err := s.do(t, s.place)
			if err != nil || len(outcomes) > 1 || ahead == 0 && (outcomes[got] == 0 || runs != 1) || len(outcomes) == 1 && outcomes[got] == 0 {
				t.Errorf("%d runs, reported %v, then %q, %v", runs, outcomes, got, err)
			}
			s.mustHave(t, got)
			t.Logf("%d handlers ran", runs)
		})
	}
	t.Run("of Once", func(t *testing.T) {
		s := openShop(t)
		var mu sync.Mutex
		statuses := map[int]int{}
		h := s.once(func(ctx context.Context) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			name, err := s.place(ctx)
			return fmt.Appendf(nil, `{"statusCode":201,"body":%q}`, name), err
		}, idempotency.Wait(10*time.Second))
		together(32, func(int) {
			status, answer := s.post(t, h)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
			if !strings.Contains(answer, "order 1") {
				t.Error(answer)
			}
		})
		if statuses[201] != 32 || s.runs != 1 {
			t.Errorf("%d runs, statuses %v", s.runs, statuses)
		}
		s.mustHave(t, "order 1")
	})
}

// together runs n calls at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}
