package dynamo_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

const kB = 1 << 10

// blob is a Put of an item of so many bytes.
func (s *shop) blob(name string, size int) types.TransactWriteItem {
	value := make([]byte, size-len("id")-len(name)-len("blob"))
	return types.TransactWriteItem{Put: &types.Put{TableName: &s.orders, Item: map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: name}, "blob": &types.AttributeValueMemberB{Value: value},
	}}}
}

// blobs are n items of 400 kB, the most that an item has.
func (s *shop) blobs(n int) []types.TransactWriteItem {
	items := make([]types.TransactWriteItem, n)
	for i := range items {
		items[i] = s.blob(fmt.Sprintf("blob-%d", i), 400*kB)
	}
	return items
}

func (s *shop) many(n int) []types.TransactWriteItem {
	items := make([]types.TransactWriteItem, n)
	for i := range items {
		items[i] = s.add(fmt.Sprint("order ", i))
	}
	return items
}

// Each limit is met before a request is made, and the server agrees with those
// that are kept.
func TestLimitsOfStaging(t *testing.T) {
	for _, tc := range []struct {
		name  string
		items func(s *shop) []types.TransactWriteItem
		err   string
	}{
		{name: "99 items", items: func(s *shop) []types.TransactWriteItem { return s.many(99) }},
		{name: "100 items", items: func(s *shop) []types.TransactWriteItem { return s.many(100) }, err: "100 items, at most 99"},
		{name: "an item of 400 kB", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{s.blob("blob", 400*kB)}
		}},
		{name: "an item of more", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{s.count(), s.blob("blob", 400*kB+1)}
		}, err: "item 1: 409601 bytes"},
		{name: "almost 4 MB", items: func(s *shop) []types.TransactWriteItem { return append(s.blobs(10), s.blob("rest", 95*kB)) }},
		{name: "4 MB without the completion", items: func(s *shop) []types.TransactWriteItem {
			return append(s.blobs(10), s.blob("rest", 96*kB))
		}, err: "bytes including the completion of the key, at most 4194304"},
		{name: "4 MB of updates", items: func(s *shop) []types.TransactWriteItem {
			items := make([]types.TransactWriteItem, 11)
			for i := range items {
				items[i] = s.count()
				items[i].Update.Key = id(fmt.Sprint("counter ", i))
				items[i].Update.UpdateExpression = aws.String("SET a=:a,b = :b")
				items[i].Update.ExpressionAttributeValues = map[string]types.AttributeValue{
					":a": &types.AttributeValueMemberB{Value: make([]byte, 350*kB)}, ":b": &types.AttributeValueMemberB{Value: make([]byte, 45*kB)},
				}
			}
			return items
		}, err: "at most 4194304"},
		{name: "the key's own item, put", items: func(s *shop) []types.TransactWriteItem { return []types.TransactWriteItem{s.own(t, true)} }, err: "the item of the idempotency key"},
		{name: "the key's own item, updated", items: func(s *shop) []types.TransactWriteItem { return []types.TransactWriteItem{s.own(t, false)} }, err: "the item of the idempotency key"},
		{name: "one item twice", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{s.count(), s.add("order"), s.check("counter", "attribute_exists(id)")}
		}, err: "item 2: it is on the same item as item 0"},
		{name: "a check, then a Put of one item", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{s.check("order", "attribute_exists(id)"), s.add("order")}
		}, err: "item 1: it is on the same item as item 0"},
		{name: "a Put, then a check of one item", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{s.add("order"), s.check("order", "attribute_exists(id)")}
		}, err: "item 1: it is on the same item as item 0"},
		{name: "two Puts of an item beside the key", items: func(s *shop) []types.TransactWriteItem {
			one, two := s.add("order"), s.add("order")
			one.Put.TableName, two.Put.TableName = &s.table, &s.table
			return []types.TransactWriteItem{one, two}
		}, err: "item 1: it is on the same item as item 0"},
		{name: "an item that is none", items: func(*shop) []types.TransactWriteItem { return make([]types.TransactWriteItem, 1) }, err: "not one of Put"},
		{name: "an item that is two", items: func(s *shop) []types.TransactWriteItem {
			both := s.add("order")
			both.Update = s.count().Update
			return []types.TransactWriteItem{both}
		}, err: "not one of Put"},
		{name: "no table", items: func(*shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{{Delete: &types.Delete{Key: id("order")}}}
		}, err: "without a table"},
		{name: "no key", items: func(s *shop) []types.TransactWriteItem {
			return []types.TransactWriteItem{{Delete: &types.Delete{TableName: &s.orders}}}
		}, err: "without a key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openShop(t)
			_, err := s.do(t, func(ctx context.Context) (string, error) {
				err := dynamo.Stage(ctx, tc.items(s)...)
				if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
					t.Errorf("%v, want %q", err, tc.err)
				}
				return "done", err
			})
			want := map[string]int{"PutItem": 1, "TransactWriteItems": 1}
			if tc.err == "" && err != nil {
				t.Error(err)
			} else if tc.err != "" {
				want = map[string]int{"PutItem": 1, "DeleteItem": 1}
			}
			s.mustTake(t, want)
		})
	}
}

// own is a write of the record of the key.
func (s *shop) own(t *testing.T, put bool) types.TransactWriteItem {
	record := s.item(t)
	if put {
		return types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: record}}
	}
	return types.TransactWriteItem{Update: &types.Update{TableName: &s.table, Key: map[string]types.AttributeValue{"id": record["id"]}}}
}

// A call of Stage that fails stages nothing, and the handler may go on.
func TestStageStagesAllOrNothing(t *testing.T) {
	s := openShop(t)
	got, err := s.do(t, func(ctx context.Context) (string, error) {
		if err := dynamo.Stage(ctx, s.add("half"), s.count(), s.count()); err == nil {
			t.Error("two writes of one item are staged")
		}
		return s.place(ctx)
	})
	if err != nil || got != "order 1" {
		t.Errorf("%q, %v", got, err)
	}
	s.mustHave(t, "order 1")
}

func TestStagedWritesCommitWithoutAResultThatIsTooLarge(t *testing.T) {
	large := func(size int) string {
		result := make([]byte, size/2)
		_, _ = rand.Read(result)
		return fmt.Sprintf("%x", result)
	}
	for name, tc := range map[string]struct {
		stage  func(s *shop) []types.TransactWriteItem
		result string
		first  []mishap
	}{
		"for an item": {stage: func(s *shop) []types.TransactWriteItem { return []types.TransactWriteItem{s.count()} }, result: large(2048 * kB)},
		"for a transaction": {
			stage:  func(s *shop) []types.TransactWriteItem { return append(s.blobs(10), s.blob("rest", 94*kB)) },
			result: large(20 * kB),
		},
		"for what the server says of the item": {
			stage: func(s *shop) []types.TransactWriteItem { return []types.TransactWriteItem{s.count()} },
			first: []mishap{cancelAs("Item size to update has exceeded the maximum allowed size", "None", "ValidationError")},
		},
		"for what the server says of all": {
			stage: func(s *shop) []types.TransactWriteItem { return []types.TransactWriteItem{s.count()} },
			first: []mishap{refuse(400, "ValidationException", "Collection size of items exceeded, which can also be caused by the aggregate size of the items")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var told []error
			s := openShop(t, idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) { told = append(told, err) }))
			s.next("TransactWriteItems", tc.first...)
			run := func(ctx context.Context) (string, error) {
				s.runs++
				return tc.result, dynamo.Stage(ctx, tc.stage(s)...)
			}
			if got, err := s.do(t, run); err != nil || got != tc.result {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 1 + len(tc.first)}) // what can be computed is not asked
			_, err := s.do(t, run)
			mustBe(t, err, guard.Unprocessable, "idempotency_result_unavailable")
			if s.runs != 1 || len(told) != 1 {
				t.Errorf("%d runs, reported %v", s.runs, told)
			}
		})
	}
	t.Run("and not if that is too large as well", func(t *testing.T) {
		s := openShop(t)
		tooLarge := refuse(400, "ValidationException", "the aggregate size of the items in the transaction exceeded")
		var tokens []string
		keep := func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
			var in struct{ ClientRequestToken string }
			if err := json.Unmarshal(body, &in); err != nil {
				t.Error(err)
			}
			tokens = append(tokens, in.ClientRequestToken)
			tooLarge(p, w, r, body)
		}
		s.next("TransactWriteItems", keep, keep)
		_, err := s.do(t, s.place)
		if guard.KindOf(err) != guard.Internal || !errors.Is(err, idempotency.ErrNotCommitted) {
			t.Errorf("%v of kind %s", err, guard.KindOf(err))
		}
		// Another transaction has another token.
		if len(tokens) != 2 || tokens[0] == tokens[1] {
			t.Errorf("tokens %q", tokens)
		}
		s.mustHave(t)
		s.mustBeFree(t)
	})
	t.Run("or that is no JSON", func(t *testing.T) {
		s := openShop(t)
		_, err := idempotency.Do(t.Context(), s.op, s.key, nil, func(ctx context.Context) (func(), error) {
			_, err := s.place(ctx)
			return func() {}, err
		})
		if err != nil {
			t.Error(err)
		}
		s.mustHave(t, "order 1")
	})
}
