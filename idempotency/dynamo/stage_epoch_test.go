package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A take-over whose commit is withdrawn leaves the question about the attempt
// before, and the fence: what arrives later writes nothing.
func TestAWithdrawnTakeOverIsAskedAbout(t *testing.T) {
	for name, withdrawal := range map[string][]mishap{
		"answered":             nil,
		"whose answer is lost": {lose},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []int64
			s := openShop(t, idempotency.Lease(time.Millisecond), idempotency.Wait(10*time.Second), // a lease of 1 ms, without a deadline
				idempotency.Reconcile(func(_ context.Context, u idempotency.Unfinished) (json.RawMessage, bool, error) {
					asked = append(asked, u.Epoch)
					return nil, false, nil
				}))
			do := func(fn func(context.Context) (string, error)) (string, error) {
				return idempotency.Do(t.Context(), s.op, s.key, nil, fn)
			}
			func() {
				defer func() { _ = recover() }()
				_, _ = do(func(context.Context) (string, error) { panic("stopped") })
			}()

			arrive := s.holdCommit(t)
			s.next("UpdateItem", withdrawal...)
			if got, err := do(s.place); !errors.Is(err, idempotency.ErrNotCommitted) {
				t.Fatalf("got %q, %v, want ErrNotCommitted", got, err)
			}
			arrive()
			if got, err := do(s.place); got != "order 2" || err != nil {
				t.Errorf("got %q, %v, want the second order", got, err)
			}
			if want := []int64{1, 2}; !slices.Equal(asked, want) {
				t.Errorf("asked about epochs %d, want %d", asked, want)
			}
			s.mustHave(t, "order 2")
		})
	}
}
