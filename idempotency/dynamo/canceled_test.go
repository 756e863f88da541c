package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// occupy puts an order into the table that is in the way of another.
func (s *shop) occupy(t *testing.T, name string) {
	t.Helper()
	_, err := s.direct.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &s.orders, Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: name}, "by": &types.AttributeValueMemberS{Value: "another"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) clear(t *testing.T, name string) {
	t.Helper()
	if _, err := s.direct.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &s.orders, Key: id(name)}); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) check(name, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &s.orders, Key: id(name), ConditionExpression: &condition,
	}}
}

func TestAFailureTellsWhichItemWasInTheWay(t *testing.T) {
	s := openShop(t)
	s.occupy(t, "second")
	plain := s.add("third")
	plain.Put.ReturnValuesOnConditionCheckFailure = ""
	s.occupy(t, "third")
	wrongType := types.TransactWriteItem{Update: &types.Update{
		TableName: &s.orders, Key: id("second-too"), UpdateExpression: aws.String("SET orders = orders + :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
	}}
	for _, tc := range []struct {
		name  string
		calls [][]types.TransactWriteItem
		want  string // index, code and whose the old item is, of each
	}{
		{
			name:  "a Put",
			calls: [][]types.TransactWriteItem{{s.add("first"), s.add("second")}},
			want:  "1 ConditionalCheckFailed another",
		},
		{
			name:  "of a second call",
			calls: [][]types.TransactWriteItem{{s.add("first"), s.count()}, {s.add("second")}},
			want:  "2 ConditionalCheckFailed another",
		},
		{name: "without asking for the item", calls: [][]types.TransactWriteItem{{plain}}, want: "0 ConditionalCheckFailed "},
		{
			name:  "of a ConditionCheck",
			calls: [][]types.TransactWriteItem{{s.count(), s.check("none", "attribute_exists(id)")}},
			want:  "1 ConditionalCheckFailed ",
		},
		{
			name:  "several",
			calls: [][]types.TransactWriteItem{{s.add("second"), s.add("first"), plain}},
			want:  "0 ConditionalCheckFailed another, 2 ConditionalCheckFailed ",
		},
		{
			name:  "an update that cannot be",
			calls: [][]types.TransactWriteItem{{s.add("first"), wrongType}},
			want:  "1 ValidationError ",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.Taken()
			_, err := s.do(t, func(ctx context.Context) (string, error) {
				for _, items := range tc.calls {
					if err := dynamo.Stage(ctx, items...); err != nil {
						return "", err
					}
				}
				return "done", nil
			})
			var canceled *dynamo.CanceledError
			if !errors.As(err, &canceled) || !errors.Is(err, idempotency.ErrNotCommitted) {
				t.Fatal(err)
			}
			var got []string
			for _, f := range canceled.Failures {
				by, _ := f.Old["by"].(*types.AttributeValueMemberS)
				if by == nil {
					by = &types.AttributeValueMemberS{}
				}
				got = append(got, fmt.Sprintf("%d %s %s", f.Index, f.Code, by.Value))
				staged := tc.calls[0]
				if len(tc.calls) > 1 && f.Index >= len(staged) {
					staged = append(staged[:len(staged):len(staged)], tc.calls[1]...)
				}
				if f.Item != staged[f.Index] || !strings.Contains(err.Error(), fmt.Sprintf("item %d: %s", f.Index, f.Code)) {
					t.Errorf("%v, of item %+v", err, f.Item)
				}
			}
			if joined := strings.Join(got, ", "); joined != tc.want {
				t.Errorf("%q, want %q", joined, tc.want)
			}
			var client *types.TransactionCanceledException
			if !errors.As(err, &client) {
				t.Errorf("%v does not wrap the client's error", err)
			}
			s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 1, "DeleteItem": 1})
			s.mustBeFree(t)
			s.key += "'"
		})
	}
	s.clear(t, "second")
	s.clear(t, "third")
	s.mustHave(t)
}

// What stages an item knows what its failure means, and says it.
func TestTheHandlerExplainsAFailure(t *testing.T) {
	s := openShop(t)
	soldOut := func(failed *dynamo.CanceledError) error {
		return &guard.Error{Kind: guard.Unprocessable, Code: "sold_out", Detail: fmt.Sprintf("Item %d is sold out.", failed.Failures[0].Index), Err: failed}
	}
	closed := func(*dynamo.CanceledError) error { return guard.Errorf(guard.Conflict, "closed", "") }
	h := s.once(func(ctx context.Context) ([]byte, error) {
		s.runs++
		err := errors.Join(
			dynamo.StageOr(ctx, closed, s.check("closed", "attribute_not_exists(id)")),
			dynamo.StageOr(ctx, soldOut, s.add("stock"), s.count()),
			dynamo.StageOr(ctx, func(*dynamo.CanceledError) error { return nil }, s.add("other")),
		)
		return []byte(`{"statusCode":201}`), err
	})
	for _, tc := range []struct {
		occupied string
		status   int
		says     string
	}{
		{occupied: "stock", status: 422, says: "Item 1 is sold out."},
		{occupied: "other", status: 500, says: "internal"}, // explain has said nothing
		{occupied: "closed", status: 409, says: "closed"},
	} {
		s.occupy(t, tc.occupied)
		if status, answer := s.post(t, h); status != tc.status || !strings.Contains(answer, tc.says) {
			t.Errorf("%s is in the way: %s", tc.occupied, answer)
		}
		if tc.occupied == "closed" {
			s.occupy(t, "stock") // the first item that failed says it
			if status, answer := s.post(t, h); status != tc.status {
				t.Errorf("both are in the way: %s", answer)
			}
			s.clear(t, "stock")
		}
		s.clear(t, tc.occupied)
	}
	s.mustHave(t)
	// Each has been a run of its own: such an answer is never kept.
	if status, answer := s.post(t, h); status != 201 || s.runs != 5 {
		t.Errorf("%s after %d runs", answer, s.runs)
	}

	t.Run("of Do", func(t *testing.T) {
		s := openShop(t)
		s.occupy(t, "stock")
		_, err := s.do(t, func(ctx context.Context) (string, error) {
			return "done", dynamo.StageOr(ctx, soldOut, s.add("stock"))
		})
		mustBe(t, err, guard.Unprocessable, "sold_out")
		var canceled *dynamo.CanceledError
		if !errors.As(err, &canceled) || !errors.Is(err, idempotency.ErrNotCommitted) {
			t.Error(err)
		}
	})
}
