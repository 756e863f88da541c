package dynamo_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// What a late attempt finds in its way may be the very thing that another has
// written under the key: it is told that it is late, and not what was in the way.
func TestAFailureOfTheFenceGoesBeforeThatOfAnItem(t *testing.T) {
	s := openShop(t)
	fast := dynamo.New(s.direct, s.table)
	fast.SetClock(func() time.Time { return time.Now().Add(time.Hour) })
	place := func(ctx context.Context) (string, error) {
		return "placed", dynamo.StageOr(ctx, func(*dynamo.CanceledError) error {
			t.Error("the failure of an item is explained")
			return nil
		}, s.add("order"), s.count())
	}
	_, err := s.do(t, func(ctx context.Context) (string, error) {
		if got, err := idempotency.Do(ctx, idempotency.NewOperation("charge", fast), s.key, nil, place); got != "placed" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		return place(ctx)
	})
	mustBe(t, err, guard.Conflict, "idempotency_lease_lost")
	var failed *dynamo.CanceledError
	if errors.As(err, &failed) || errors.Is(err, idempotency.ErrNotCommitted) {
		t.Error(err)
	}
	if got, err := s.do(t, place); got != "placed" || err != nil {
		t.Errorf("then %q, %v", got, err)
	}
	s.mustHave(t, "order")
}

// A late attempt has lost its lease, also if its record is gone.
func TestStageOfAnAttemptWithoutARecordIsLate(t *testing.T) {
	s := openShop(t)
	_, err := s.do(t, func(ctx context.Context) (string, error) {
		if _, err := s.direct.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: id(keyOf(t, s))}); err != nil {
			t.Error(err)
		}
		return "late", dynamo.Stage(ctx, s.add("late"), s.count())
	})
	mustBe(t, err, guard.Conflict, "idempotency_lease_lost")
	if !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	s.mustHave(t)
	s.mustBeFree(t)
}

// An item that fails for good is not waited for, whoever else is in the way.
func TestAFailureForGoodIsNotWaitedFor(t *testing.T) {
	for name, others := range map[string]string{
		"throttled": "ProvisionedThroughputExceeded", "in conflict": "TransactionConflict",
	} {
		for where, codes := range map[string][]string{
			"an item is":    {"ConditionalCheckFailed", others, "None"},
			"the record is": {"ConditionalCheckFailed", "None", others},
			"all are":       {others, "ConditionalCheckFailed", others},
		} {
			t.Run(where+" "+name, func(t *testing.T) {
				s := openShop(t)
				s.next("TransactWriteItems", cancel(codes...))
				_, err := s.do(t, s.place)
				var failed *dynamo.CanceledError
				if !errors.As(err, &failed) || !errors.Is(err, idempotency.ErrNotCommitted) {
					t.Fatal(err)
				}
				if len(failed.Failures) != 1 || codes[failed.Failures[0].Index] != "ConditionalCheckFailed" {
					t.Errorf("%v", err)
				}
				s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 1, "DeleteItem": 1})
				s.mustBeFree(t)
			})
		}
	}
}

// clientOfErrors is a client that has no HTTP response to show, as wrappers may.
type clientOfErrors struct{ *dynamodb.Client }

func (clientOfErrors) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return nil, &types.InternalServerError{}
}

func TestAFaultOfTheServerMayPassWithoutAResponse(t *testing.T) {
	s := openShop(t)
	op := idempotency.NewOperation("charge", dynamo.New(clientOfErrors{s.direct}, s.table))
	_, err := idempotency.Do(t.Context(), op, s.key, nil, s.place)
	mustBe(t, err, guard.Unavailable, "idempotency_not_committed")
	if !errors.Is(err, idempotency.ErrNotCommitted) {
		t.Errorf("got %v, want ErrNotCommitted", err)
	}
}

// What the client refuses to send will never be written, however often it is
// tried: that is no failure that passes.
func TestAnItemThatCannotBeSentIsOurFault(t *testing.T) {
	for name, item := range map[string]types.TransactWriteItem{
		"an update without an expression": {Update: &types.Update{Key: id("order")}},
		"a check without a condition":     {ConditionCheck: &types.ConditionCheck{Key: id("order")}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			if item.Update != nil {
				item.Update.TableName = &s.orders
			} else {
				item.ConditionCheck.TableName = &s.orders
			}
			_, err := s.do(t, func(ctx context.Context) (string, error) { return "done", dynamo.Stage(ctx, item) })
			if guard.KindOf(err) != guard.Internal || !errors.Is(err, idempotency.ErrNotCommitted) {
				t.Errorf("%v of kind %s", err, guard.KindOf(err))
			}
			s.mustTake(t, map[string]int{"PutItem": 1, "DeleteItem": 1})
			s.mustBeFree(t)
		})
	}
}

// A commit that took longer than its record was to last has taken place all the
// same.
func TestACommitThatIsFoundExpiredIsASuccess(t *testing.T) {
	for name, then := range map[string]mishap{
		"by the transaction": anew,
		"by its withdrawal":  refuse(400, "AccessDeniedException", "not authorized"),
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			var ahead atomic.Int64
			s.store.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
			s.next("TransactWriteItems", lose, func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
				ahead.Store(int64(48 * time.Hour))
				then(p, w, r, body)
			})
			if got, err := s.do(t, s.place); got != "order 1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			s.mustHave(t, "order 1")
		})
	}
}

// The handler's context may be over when it returns: what it has staged is
// committed in the time that is left of the invocation.
func TestStagedWritesAreCommittedAfterTheHandlersContextIsOver(t *testing.T) {
	s := openShop(t)
	ctx, over := context.WithCancel(t.Context())
	got, err := idempotency.Do(ctx, s.op, s.key, nil, func(ctx context.Context) (string, error) {
		defer over()
		return s.place(ctx)
	})
	if got != "order 1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.mustHave(t, "order 1")
}

// What goes on after the handler has returned stages nothing, and harms nothing
// that is being committed.
func TestAGoroutineThatOutlivesTheHandlerStagesNothing(t *testing.T) {
	s := openShop(t)
	var late sync.WaitGroup
	committing := make(chan struct{})
	s.next("TransactWriteItems", func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
		close(committing)
		late.Wait()
		p.Pass(w, r, body)
	})
	got, err := s.do(t, func(ctx context.Context) (string, error) {
		for i := range 8 {
			late.Go(func() {
				<-committing
				item := s.count()
				item.Update.Key = id("late")
				item.Update.UpdateExpression = aws.String("SET n = :one")
				if err := dynamo.Stage(ctx, item); err == nil {
					t.Errorf("goroutine %d has staged", i)
				}
			})
		}
		return s.place(ctx)
	})
	if got != "order 1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.mustHave(t, "order 1")
}
