package dynamo_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

func ExampleNew() {
	cfg := aws.Config{Region: "eu-central-1"} // from config.LoadDefaultConfig
	store := dynamo.New(dynamodb.NewFromConfig(cfg), "idempotency")

	placeOrder := func(context.Context, struct{ SKU string }) (string, error) { return "order o-1", nil }
	h := guard.Wrap(httpapi.Func(placeOrder),
		httpapi.Problems(),
		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
	)
	_ = h // for lambda.Start, or httpapi.Start in the place of guard.Wrap
}

// The table of a function that stores its records under one partition key, beside
// other items.
func ExampleSortKey() {
	cfg := aws.Config{Region: "eu-central-1"}
	store := dynamo.New(dynamodb.NewFromConfig(cfg), "orders",
		dynamo.Names(dynamo.Attributes{Key: "pk", Expiration: "ttl"}),
		dynamo.SortKey("sk", "idempotency"))
	_ = idempotency.NewOperation("charge", store)
}

// The order is written once for each key, together with the answer.
func ExampleStage() {
	client := dynamodb.NewFromConfig(aws.Config{Region: "eu-central-1"})
	orders := idempotency.NewOperation("order", dynamo.New(client, "idempotency"))

	place := func(ctx context.Context, key, sku string) (string, error) {
		return idempotency.Do(ctx, orders, key, sku, func(ctx context.Context) (string, error) {
			return "accepted", dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
				TableName: aws.String("orders"),
				Item:      map[string]types.AttributeValue{"sku": &types.AttributeValueMemberS{Value: sku}},
			}})
		})
	}
	_ = place
}

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

// soldOut stands for DynamoDB, with the part that the example needs.
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
