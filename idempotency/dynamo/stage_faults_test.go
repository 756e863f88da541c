package dynamo_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// anew is a request with a token of its own, as to a server that has forgotten
// the first.
func anew(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
	p.Pass(w, r, renewed(body))
}

func renewed(body []byte) []byte {
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil || in["ClientRequestToken"] == nil {
		panic(http.ErrAbortHandler)
	}
	in["ClientRequestToken"] = rand.Text()
	body, _ = json.Marshal(in)
	return body
}

// times repeats a mishap.
func times(n int, m mishap) []mishap { return slices.Repeat([]mishap{m}, n) }

// However an answer is lost, the outcome is found out: what was written is a
// success, and the handler runs once.
func TestStageIsNotMisledByLostAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		commits []mishap
		deletes int
		left    time.Duration // of the invocation, if the commit takes its share of it
	}{
		"once":                                {commits: times(1, lose)},
		"and the token is forgotten":          {commits: []mishap{lose, anew}},
		"and the next is not sent":            {commits: []mishap{lose, drop}},
		"and the next is throttled for long":  {commits: append(times(1, lose), times(6, throttleAll)...)},
		"and the next is told to wait":        {commits: []mishap{lose, refuse(400, "TransactionInProgressException", "in progress")}},
		"and the next conflicts":              {commits: []mishap{lose, cancel("TransactionConflict", "None", "None")}},
		"and the next fails a condition":      {commits: []mishap{lose, cancel("ConditionalCheckFailed", "None", "None")}, deletes: 1},
		"and the next is not the same":        {commits: []mishap{lose, refuse(400, "IdempotentParameterMismatchException", "mismatch")}, deletes: 1},
		"and the permission is gone":          {commits: []mishap{lose, refuse(400, "AccessDeniedException", "not authorized")}, deletes: 1},
		"for good":                            {commits: times(3, lose), deletes: 1},
		"for good, by a server that is ill":   {commits: []mishap{lose, failInternal, failInternal}, deletes: 1},
		"for good, and nothing is heard then": {commits: []mishap{lose, hang}, deletes: 1, left: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			s.next("TransactWriteItems", tc.commits...)
			ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(tc.left, 20*time.Second))
			defer cancel()
			if got, err := idempotency.Do(ctx, s.op, s.key, nil, s.place); got != "order 1" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
			if counts := s.Taken(); counts["DeleteItem"] != tc.deletes || counts["GetItem"] != 0 {
				t.Errorf("requests %v, want DeleteItem %d times", counts, tc.deletes)
			}
			if got, err := s.do(t, s.place); got != "order 1" || err != nil || s.runs != 1 {
				t.Errorf("then %q, %v, after %d runs", got, err, s.runs)
			}
			s.mustHave(t, "order 1")
		})
	}
}

// What was not written is told as that, and a retry may run at once.
func TestStageThatCannotCommitLeavesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		commits []mishap
		kind    guard.Kind    // Internal if a retry does not help
		left    time.Duration // of the invocation, if the commit takes its share of it
	}{
		"dropped":        {commits: times(3, drop), kind: guard.Unavailable},
		"internal":       {commits: times(3, failInternal), kind: guard.Unavailable},
		"hanging":        {commits: times(1, hang), kind: guard.Unavailable, left: 3 * time.Second},
		"in others' way": {commits: times(1000, cancel("None", "TransactionConflict", "None")), kind: guard.Unavailable, left: 3 * time.Second},
		"throttled items": {
			commits: times(1000, cancel("ThrottlingError", "ProvisionedThroughputExceeded", "None")),
			kind:    guard.Unavailable, left: 3 * time.Second,
		},
		"throttled": {commits: times(1000, throttle), kind: guard.Unavailable, left: 3 * time.Second},
		"in progress": {
			commits: times(1000, refuse(400, "TransactionInProgressException", "in progress")),
			kind:    guard.Unavailable, left: 3 * time.Second,
		},
		"not allowed": {
			commits: times(1, refuse(400, "AccessDeniedException", "not authorized to perform: dynamodb:ConditionCheckItem")),
			kind:    guard.Internal,
		},
		"no such table": {
			commits: times(1, refuse(400, "ResourceNotFoundException", "Requested resource not found")),
			kind:    guard.Internal,
		},
		"invalid": {
			commits: times(1, refuse(400, "ValidationException", "Transaction request cannot include multiple operations on one item")),
			kind:    guard.Internal,
		},
		"for reasons untold": {commits: times(1, cancel()), kind: guard.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			s.next("TransactWriteItems", tc.commits...)
			ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(tc.left, 20*time.Second))
			defer cancel()
			_, err := idempotency.Do(ctx, s.op, s.key, nil, s.place)
			if kind := guard.KindOf(err); kind != tc.kind || !errors.Is(err, idempotency.ErrNotCommitted) {
				t.Fatalf("%v of kind %s", err, kind)
			}
			if tc.kind == guard.Unavailable {
				mustBe(t, err, guard.Unavailable, "idempotency_not_committed")
			}
			s.mustHave(t)
			s.Forgive()
			if got, err := s.do(t, s.place); got != "order 2" || err != nil {
				t.Errorf("then %q, %v", got, err)
			}
			s.mustHave(t, "order 2")
		})
	}
}

// Conflicts and throttling that end are waited for, beyond what the client does.
func TestStageGetsOverThoseInTheWay(t *testing.T) {
	for name, m := range map[string]mishap{
		"conflicts": cancel("TransactionConflict", "None", "TransactionConflict"), "throttled items": cancel("ThrottlingError", "None", "None"),
		"throttled": throttle, "in progress": refuse(400, "TransactionInProgressException", "in progress"),
		"a conflict": refuse(400, "TransactionConflictException", "conflict"),
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.next("TransactWriteItems", times(5, m)...)
			if got, err := s.do(t, s.place); got != "order 1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 6})
			s.mustHave(t, "order 1")
		})
	}
	t.Run("who claim and release a key that is being committed", func(t *testing.T) {
		s := openShop(t)
		conflict := refuse(400, "TransactionConflictException", "Transaction is ongoing for the item")
		s.next("PutItem", times(3, conflict)...)
		s.next("UpdateItem", times(3, conflict)...)
		s.mustDo(t, "result 1")
		s.next("TransactWriteItems", times(3, drop)...)
		s.next("DeleteItem", times(3, conflict)...)
		s.key += "'"
		if _, err := s.do(t, s.place); !errors.Is(err, idempotency.ErrNotCommitted) {
			t.Error(err)
		}
	})
}

// If nobody answers at all it is said that nobody knows, whatever happened; the
// lease goes on, and a repeat finds out.
func TestStageWhoseOutcomeIsUnknownIsNoSuccess(t *testing.T) {
	for name, written := range map[string]bool{"and it was written": true, "and it was not": false} {
		t.Run(name, func(t *testing.T) {
			var told []error
			s := openShop(t, idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) { told = append(told, err) }))
			first := drop
			if written {
				first = lose
			}
			s.next("TransactWriteItems", first, drop, drop)
			s.next("DeleteItem", drop, drop, drop)
			_, err := s.do(t, s.place)
			mustBe(t, err, guard.Unavailable, "idempotency_commit_unknown")
			if errors.Is(err, idempotency.ErrNotCommitted) || len(told) != 1 {
				t.Errorf("%v, reported %v", err, told)
			}
			got, err := s.do(t, s.place)
			if written {
				if got != "order 1" || err != nil {
					t.Errorf("then %q, %v", got, err)
				}
				s.mustHave(t, "order 1")
				return
			}
			mustBe(t, err, guard.Conflict, "idempotency_in_progress")
			s.mustHave(t)
			s.store.SetClock(func() time.Time { return time.Now().Add(time.Hour) }) // the lease is over
			if got, err := s.do(t, s.place); got != "order 2" || err != nil {
				t.Errorf("after the lease %q, %v", got, err)
			}
			s.mustHave(t, "order 2")
		})
	}
	t.Run("also when the server is gone", func(t *testing.T) {
		server := testserver.DynamoDB(t)
		client := connect(server.URL(), hasty)
		s := &shop{bench: &bench{key: "k", direct: client}, orders: table(t, client, "")}
		s.op = idempotency.NewOperation("charge", dynamo.New(client, table(t, client, "")))
		_, err := s.do(t, func(ctx context.Context) (string, error) {
			defer server.Stop()
			return s.place(ctx)
		})
		mustBe(t, err, guard.Unavailable, "idempotency_commit_unknown")
	})
}

// A commit that arrives after all have given it up changes nothing.
func TestStageThatArrivesLateChangesNothing(t *testing.T) {
	for name, again := range map[string]bool{"on a key that is free": false, "on a key that was done since": true} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			arrive := s.holdCommit(t)
			_, err := s.do(t, s.place)
			mustBe(t, err, guard.Unavailable, "idempotency_not_committed")
			want := []string{}
			if again {
				want = append(want, "order 2")
				if got, err := s.do(t, s.place); got != "order 2" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
			arrive()
			s.mustHave(t, want...)
		})
	}
}
