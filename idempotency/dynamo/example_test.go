package dynamo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// An order takes a piece from the stock and is written, both or neither, and
// once for each key. The last piece was sold a moment ago.
func ExampleStageOr() {
	store := dynamo.New(soldOut{}, "idempotency")
	orders := idempotency.NewOperation("order", store)

	_, err := idempotency.Do(context.Background(), orders, "k-1", nil, func(ctx context.Context) (string, error) {
		piece := types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String("stock"),
			Key:       map[string]types.AttributeValue{"sku": &types.AttributeValueMemberS{Value: "KB-101"}},

			UpdateExpression:          aws.String("ADD pieces :less"),
			ConditionExpression:       aws.String("pieces > :none"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":less": numeral("-1"), ":none": numeral("0")},
		}}
		if err := dynamo.StageOr(ctx, func(failed *dynamo.CanceledError) error {
			return &guard.Error{Kind: guard.Conflict, Code: "sold_out", Detail: "There is none left.", Err: failed}
		}, piece); err != nil {
			return "", err
		}
		return "order o-1", dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
			TableName: aws.String("orders"),
			Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "o-1"}},
		}})
	})

	var problem *guard.Error
	if errors.As(err, &problem) {
		fmt.Println(problem.Kind, problem.Code, problem.Detail)
	}
	fmt.Println("nothing was written:", errors.Is(err, idempotency.ErrNotCommitted))
	// Output:
	// conflict sold_out There is none left.
	// nothing was written: true
}

func numeral(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

// soldOut stands for DynamoDB, of which it has what the example needs.
type soldOut struct{ dynamo.Client }

func (soldOut) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{}, nil
}

func (soldOut) DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return &dynamodb.DeleteItemOutput{}, nil
}

func (soldOut) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
		{Code: aws.String("ConditionalCheckFailed")}, {Code: aws.String("None")}, {Code: aws.String("None")},
	}}
}
