package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// maxKey is how long a partition key can be, in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxKey = 2048

// table keeps orders in DynamoDB, each as an item of its id and its JSON. An order
// is written in the transaction that completes its idempotency key, so a retry knows
// every order.
type table struct {
	client *dynamodb.Client
	name   string
}

func (t *table) put(ctx context.Context, o order) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name,
		Item: map[string]types.AttributeValue{
			"id":    &types.AttributeValueMemberS{Value: o.ID},
			"order": &types.AttributeValueMemberS{Value: string(text)},
		},
		// An order is written once.
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	}})
}

func (t *table) get(ctx context.Context, id string) (order, bool, error) {
	if len(id) > maxKey {
		return order{}, false, nil // DynamoDB would answer with an error
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return order{}, false, err
	}
	text, ok := out.Item["order"].(*types.AttributeValueMemberS)
	if !ok {
		return order{}, false, nil
	}
	var o order
	if err := json.Unmarshal([]byte(text.Value), &o); err != nil {
		return order{}, false, fmt.Errorf("order %s: %w", id, err)
	}
	return o, true, nil
}
