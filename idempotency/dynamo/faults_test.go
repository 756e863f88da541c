package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// bench is a table behind a proxy, and an operation on it.
type bench struct {
	*proxy
	table  string
	direct *dynamodb.Client
	store  *dynamo.Store
	op     idempotency.Operation
	key    string
	runs   int
}

func setUp(t *testing.T, opts ...idempotency.Option) *bench {
	t.Helper()
	server := servers.DynamoDB(t)
	b := &bench{proxy: newProxy(t, server.URL()), direct: connect(server.URL()), key: rand.Text()}
	b.table = table(t, b.direct, "")
	b.store = dynamo.New(connect(b.URL, hasty), b.table)
	b.op = idempotency.NewOperation("charge", b.store, opts...)
	return b
}

func (b *bench) run(context.Context) (string, error) {
	b.runs++
	return fmt.Sprint("result ", b.runs), nil
}

func (b *bench) do(t *testing.T) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return idempotency.Do(ctx, b.op, b.key, nil, b.run)
}

func (b *bench) mustDo(t *testing.T, want string) {
	t.Helper()
	if got, err := b.do(t); err != nil || got != want {
		t.Fatalf("%q, %v, want %q", got, err, want)
	}
}

func (b *bench) mustTake(t *testing.T, want map[string]int) {
	t.Helper()
	if got := b.Taken(); !maps.Equal(got, want) {
		t.Errorf("requests %v, want %v", got, want)
	}
}

// item is the one item of the table.
func (b *bench) item(t *testing.T) map[string]types.AttributeValue {
	t.Helper()
	out, err := b.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: &b.table})
	if err != nil || len(out.Items) != 1 {
		t.Fatalf("%d items, %v", len(out.Items), err)
	}
	return out.Items[0]
}

func mustBe(t *testing.T, err error, kind guard.Kind, code string) {
	t.Helper()
	var e *guard.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Code != code {
		t.Fatalf("%v, want %s %s", err, kind, code)
	}
}

func TestRequestsOfACall(t *testing.T) {
	b := setUp(t)
	b.mustDo(t, "result 1")
	b.mustTake(t, map[string]int{"PutItem": 1, "UpdateItem": 1})
	b.mustDo(t, "result 1")
	b.mustTake(t, map[string]int{"PutItem": 1})

	b = setUp(t, idempotency.LocalReplays(4))
	b.mustDo(t, "result 1")
	b.Taken()
	b.mustDo(t, "result 1")
	b.mustTake(t, map[string]int{})

	b = setUp(t)
	broken := errors.New("broken")
	if _, err := idempotency.Do(t.Context(), b.op, b.key, nil, func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	b.mustTake(t, map[string]int{"PutItem": 1, "DeleteItem": 1})
}

func TestRule08AnAnswerThatIsLostIsMetAgain(t *testing.T) {
	for operation, want := range map[string]map[string]int{
		"PutItem":    {"PutItem": 2, "UpdateItem": 1},
		"UpdateItem": {"PutItem": 1, "UpdateItem": 2},
	} {
		t.Run(operation, func(t *testing.T) {
			b := setUp(t)
			b.next(operation, lose)
			b.mustDo(t, "result 1")
			b.mustTake(t, want)
			b.mustDo(t, "result 1")
			if b.runs != 1 {
				t.Errorf("ran %d times", b.runs)
			}
		})
	}
	t.Run("DeleteItem", func(t *testing.T) {
		b := setUp(t)
		b.next("DeleteItem", lose)
		if _, err := idempotency.Do(t.Context(), b.op, b.key, nil, func(context.Context) (int, error) { return 0, errors.New("broken") }); err == nil {
			t.Error("no error")
		}
		b.mustTake(t, map[string]int{"PutItem": 1, "DeleteItem": 2})
		b.mustDo(t, "result 1")
	})
	t.Run("a take-over", func(t *testing.T) {
		b := setUp(t)
		r := record(b.key, 1, -time.Minute)
		if _, err := b.store.Claim(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		next := record(b.key, 2, time.Minute)
		b.next("PutItem", lose)
		if held, err := b.store.Claim(t.Context(), next); err != nil {
			t.Errorf("%v, held by %+v", err, held)
		}
		if err := b.store.Complete(t.Context(), r); !errors.Is(err, idempotency.ErrLost) {
			t.Errorf("the late attempt: %v", err)
		}
	})
}

func TestThrottlingAndFailuresAreGotOver(t *testing.T) {
	for name, m := range map[string]mishap{"throttled": throttle, "rate exceeded": throttleAll, "internal": failInternal, "dropped": drop} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			b.next("PutItem", m, m)
			b.next("UpdateItem", m, m)
			b.mustDo(t, "result 1")
			b.mustTake(t, map[string]int{"PutItem": 3, "UpdateItem": 3})
			b.mustDo(t, "result 1")
		})
	}
}

func TestRule13FaultsThatLastStopTheRequest(t *testing.T) {
	for name, m := range map[string]mishap{
		"throttled": throttle, "internal": failInternal, "dropped": drop,
		"not allowed": refuse(400, "AccessDeniedException", "not authorized to perform: dynamodb:PutItem"),
		"no table":    refuse(400, "ResourceNotFoundException", "Requested resource not found"),
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			b.next("PutItem", m, m, m)
			_, err := b.do(t)
			mustBe(t, err, guard.Unavailable, "idempotency_store_unavailable")
			if b.runs != 0 {
				t.Error("ran all the same")
			}
		})
	}
	t.Run("hanging", func(t *testing.T) {
		b := setUp(t)
		b.next("PutItem", hang, hang, hang)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := idempotency.Do(ctx, b.op, b.key, nil, b.run)
		mustBe(t, err, guard.Unavailable, "idempotency_store_unavailable")
		if b.runs != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ran %d times: %v", b.runs, err)
		}
	})
}

func TestRule12FaultsThatLastAtCompletionLeaveTheSuccessAndTheLease(t *testing.T) {
	for name, m := range map[string]mishap{"throttled": throttle, "dropped": drop, "hanging": hang} {
		t.Run(name, func(t *testing.T) {
			var unsaved []error
			b := setUp(t, idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) { unsaved = append(unsaved, err) }))
			b.next("UpdateItem", m, m, m)
			b.mustDo(t, "result 1")
			if len(unsaved) != 1 {
				t.Errorf("reported %v", unsaved)
			}
			_, err := b.do(t)
			mustBe(t, err, guard.Conflict, "idempotency_in_progress")
		})
	}
	t.Run("lost for good", func(t *testing.T) { // applied, and nobody knows
		b := setUp(t)
		b.next("UpdateItem", lose, lose, lose)
		b.mustDo(t, "result 1")
		b.mustDo(t, "result 1")
		if b.runs != 1 {
			t.Errorf("ran %d times", b.runs)
		}
	})
}

func TestAServerThatIsGone(t *testing.T) {
	for _, at := range []string{"claim", "completion", "release"} {
		t.Run(at, func(t *testing.T) {
			server := testserver.DynamoDB(t)
			client := connect(server.URL(), hasty)
			op := idempotency.NewOperation("charge", dynamo.New(client, table(t, client, "")))
			broken := errors.New("broken")
			runs := 0
			run := func(context.Context) (string, error) {
				runs++
				server.Stop()
				if at == "release" {
					return "", broken
				}
				return "done", nil
			}
			if at == "claim" {
				server.Stop()
			}
			got, err := idempotency.Do(t.Context(), op, "k", nil, run)
			switch at {
			case "claim":
				mustBe(t, err, guard.Unavailable, "idempotency_store_unavailable")
				if runs != 0 {
					t.Error("ran all the same")
				}
			case "completion":
				if err != nil || got != "done" {
					t.Errorf("%q, %v, want the success", got, err)
				}
			case "release":
				if !errors.Is(err, broken) {
					t.Errorf("%v, want the handler's error", err)
				}
			}
		})
	}
}

// A server that returns no item with a failed condition is asked for it.
func TestAHolderThatIsNotReturnedIsRead(t *testing.T) {
	b := setUp(t)
	b.mustDo(t, "result 1")
	b.Taken()
	b.next("PutItem", forget)
	b.mustDo(t, "result 1")
	b.mustTake(t, map[string]int{"PutItem": 1, "GetItem": 1})

	b.next("PutItem", forget)
	b.next("GetItem", drop, drop, drop)
	_, err := b.do(t)
	mustBe(t, err, guard.Unavailable, "idempotency_store_unavailable")

	// Gone between the write and the read: the key is free then.
	b.next("PutItem", forget)
	b.next("GetItem", func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
		_, err := b.direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &b.table, Key: map[string]types.AttributeValue{"id": b.item(t)["id"]}})
		if err != nil {
			t.Error(err)
		}
		p.Pass(w, r, body)
	})
	b.mustDo(t, "result 2")
}

func TestAServerThatReturnsNoItemsIsAStore(t *testing.T) {
	b := setUp(t)
	always := make([]mishap, 10_000)
	for i := range always {
		always[i] = forget
	}
	b.next("PutItem", always...)
	storetest.Run(t, func(*testing.T) idempotency.Store { return b.store })
}

// The client sends a release again whose answer is lost, and finds it done.
func TestAReleaseWhoseAnswerIsLostIsARelease(t *testing.T) {
	b := setUp(t)
	first, second := record("k", 1, -time.Minute), record("k", 2, time.Minute)
	for _, r := range []idempotency.Record{first, second} {
		if _, err := b.store.Claim(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	b.next("UpdateItem", lose)
	if err := b.store.Release(t.Context(), second); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := b.store.Release(t.Context(), first); !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("the attempt before: got %v, want ErrLost", err)
	}
}
