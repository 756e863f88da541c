package main

import (
	"context"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// ledger keeps what customers have earned.
type ledger interface {
	add(ctx context.Context, e entry) error
}

// memory keeps it for as long as the process lives.
type memory struct {
	mu      sync.Mutex
	entries []entry
}

func (m *memory) add(_ context.Context, e entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, e)
	return nil
}

// table keeps it in DynamoDB. An entry is written in the transaction that completes
// its key: both are there, or neither is, whenever the process ends.
type table struct{ name string }

func (t *table) add(ctx context.Context, e entry) error {
	return dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name,
		Item: map[string]types.AttributeValue{
			"id":       &types.AttributeValueMemberS{Value: e.Purchase},
			"customer": &types.AttributeValueMemberS{Value: e.Customer},
			"points":   &types.AttributeValueMemberN{Value: strconv.FormatInt(e.Points, 10)},
		},
		// Points are earned once, also after the key has expired.
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	}})
}
