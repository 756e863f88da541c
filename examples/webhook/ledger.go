package main

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// ledger keeps payments.
type ledger interface {
	add(ctx context.Context, e entry) error
}

// memory keeps them for as long as the process lives.
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

// table keeps them in DynamoDB. The entry is written in the transaction that
// completes the delivery: both are there, or neither is.
type table struct{ name string }

func (t *table) add(ctx context.Context, e entry) error {
	return dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name,
		Item: map[string]types.AttributeValue{
			"id":       &types.AttributeValueMemberS{Value: e.ID},
			"invoice":  &types.AttributeValueMemberS{Value: e.Invoice},
			"amount":   &types.AttributeValueMemberS{Value: e.Amount},
			"currency": &types.AttributeValueMemberS{Value: e.Currency},
		},
	}})
}
