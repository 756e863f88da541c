package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

func TestRule17StagedWritesAreThereWithTheAnswer(t *testing.T) {
	t.Run("of Do", func(t *testing.T) {
		s := openShop(t, idempotency.LocalReplays(1))
		for range 3 {
			if got, err := s.do(t, s.place); got != "order 1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}
		s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 1}) // and replays from here
		s.mustHave(t, "order 1")
	})
	t.Run("of Once", func(t *testing.T) {
		s := openShop(t)
		h := s.once(func(ctx context.Context) ([]byte, error) {
			name, err := s.place(ctx)
			return fmt.Appendf(nil, `{"statusCode":201,"body":%q}`, name), err
		})
		for i := range 3 {
			status, answer := s.post(t, h)
			if status != 201 || !strings.Contains(answer, "order 1") || strings.Contains(answer, "Replayed") != (i > 0) {
				t.Errorf("%s", answer)
			}
		}
		s.mustTake(t, map[string]int{"PutItem": 3, "TransactWriteItems": 1})
		s.mustHave(t, "order 1")
	})
	t.Run("with a sort key and other names", func(t *testing.T) {
		s := openShop(t)
		store := dynamo.New(connect(s.URL, hasty), table(t, s.direct, "record"), dynamo.SortKey("record", "idempotency"),
			dynamo.Names(dynamo.Attributes{Status: "state", Data: "value", Owner: "size", Epoch: "count", Encoding: "how"}))
		s.op = idempotency.NewOperation("charge", store)
		for range 2 {
			if got, err := s.do(t, s.place); got != "order 1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}
		s.mustHave(t, "order 1")
	})
}

// What was staged belongs to the answer: it is written if that is kept, and not
// if the caller is told of a failure or nobody will be told the same again.
func TestWhenStagedWritesAreWritten(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answer  string
		err     error
		opts    []idempotency.Option
		status  int
		written bool
		kept    bool
	}{
		{name: "an answer of success", answer: `{"statusCode":201}`, status: 201, written: true, kept: true},
		{name: "an answer that is kept, of whatever status", answer: `{"statusCode":404}`, status: 404, written: true, kept: true},
		{name: "an answer of conflict", answer: `{"statusCode":409}`, status: 409},
		{name: "an answer of failure", answer: `{"statusCode":503}`, status: 503},
		{name: "an error", err: errors.New("broken"), status: 500},
		{name: "an error that is kept", err: guard.Errorf(guard.NotFound, "gone", ""), status: 404, kept: true},
		{
			name: "a success that is not kept", answer: `{"statusCode":201}`, status: 500,
			opts: []idempotency.Option{idempotency.StoreWhen(func(int, []byte) bool { return false })},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openShop(t)
			h := s.once(func(ctx context.Context) ([]byte, error) {
				if _, err := s.place(ctx); err != nil {
					return nil, err
				}
				return []byte(tc.answer), tc.err
			}, tc.opts...)
			if status, answer := s.post(t, h); status != tc.status {
				t.Errorf("%s", answer)
			}
			s.post(t, h)
			if kept := s.runs == 1; kept != tc.kept {
				t.Errorf("%d runs", s.runs)
			}
			if tc.written {
				s.mustHave(t, "order 1")
			} else {
				s.mustHave(t)
			}
		})
	}
	t.Run("a panic", func(t *testing.T) {
		s := openShop(t)
		h := s.once(func(ctx context.Context) ([]byte, error) {
			_, _ = s.place(ctx)
			panic("broken")
		})
		first, _ := s.post(t, h)
		second, _ := s.post(t, h)
		if first != 500 || second != 409 {
			t.Errorf("%d, then %d", first, second)
		}
		s.mustHave(t)
	})
	t.Run("a batch of which a part has failed", func(t *testing.T) {
		s := openShop(t)
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			_, err := s.place(ctx)
			return []byte(`{"batchItemFailures":[{"itemIdentifier":"2"}]}`), err
		}), idempotency.Once(s.store, idempotency.Payload()))
		out, err := h.Invoke(t.Context(), []byte(`{"batch":1}`))
		if out != nil || !errors.Is(err, idempotency.ErrNotCommitted) {
			t.Errorf("%s, %v: the part that did not fail is not written either", out, err)
		}
		s.mustHave(t)
	})
}

func TestStagedWritesBelongToTheInnermostOperation(t *testing.T) {
	s := openShop(t)
	inner := idempotency.NewOperation("inner", s.store)
	failed := errors.New("the outer fails")
	h := s.once(func(ctx context.Context) ([]byte, error) {
		if err := dynamo.Stage(ctx, s.add("outer")); err != nil {
			return nil, err
		}
		_, err := idempotency.Do(ctx, inner, s.key, nil, func(ctx context.Context) (string, error) {
			return "", dynamo.Stage(ctx, s.add("inner"), s.count())
		})
		return nil, errors.Join(err, failed)
	})
	if status, answer := s.post(t, h); status != 500 {
		t.Errorf("%s", answer)
	}
	s.mustHave(t, "inner")

	other := idempotency.NewOperation("elsewhere", idempotency.NewMemoryStore())
	h = s.once(func(ctx context.Context) ([]byte, error) {
		_, err := idempotency.Do(ctx, other, s.key, nil, func(ctx context.Context) (string, error) {
			return "", dynamo.Stage(ctx, s.add("elsewhere"))
		})
		if err == nil || !strings.Contains(err.Error(), "no dynamo.Store") {
			t.Errorf("in an operation kept elsewhere: %v", err)
		}
		return []byte(`{"statusCode":200}`), nil
	})
	if status, answer := s.post(t, h); status != 200 {
		t.Errorf("%s", answer)
	}
	s.mustHave(t, "inner")
}

func TestConcurrentStaging(t *testing.T) {
	s := openShop(t)
	names := make([]string, 40)
	for i := range names {
		names[i] = fmt.Sprint("order ", i)
	}
	_, err := s.do(t, func(ctx context.Context) (string, error) {
		var all sync.WaitGroup
		for _, name := range names {
			all.Go(func() {
				count := s.count()
				count.Update.Key = id("of " + name)
				if err := dynamo.Stage(ctx, s.add(name), count); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.orders})
	if err != nil || len(out.Items) != 2*len(names) {
		t.Errorf("%d items of %d, %v", len(out.Items), 2*len(names), err)
	}
}

func TestStageWhereItCannotBe(t *testing.T) {
	s := openShop(t)
	item := s.add("order")
	mustSay := func(err error, what string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %q", err, what)
		}
	}
	mustSay(dynamo.Stage(t.Context(), item), "outside of an idempotent operation")
	var ended context.Context
	if _, err := s.do(t, func(ctx context.Context) (string, error) { ended = ctx; return "", nil }); err != nil {
		t.Fatal(err)
	}
	mustSay(dynamo.Stage(ended, item), "has ended")
	keyless := s.once(func(ctx context.Context) ([]byte, error) {
		mustSay(dynamo.Stage(ctx, item), "outside of an idempotent operation")
		return []byte(`{"statusCode":200}`), nil
	}, idempotency.AllowMissingKey())
	s.key = ""
	s.post(t, keyless)

	s = openShop(t)
	s.op = idempotency.NewOperation("charge", dynamo.New(struct{ dynamo.Client }{Client: s.direct}, s.table))
	_, err := s.do(t, s.place)
	mustSay(err, "without TransactWriteItems")
	s.mustHave(t)
}
