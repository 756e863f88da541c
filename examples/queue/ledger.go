package main

import (
	"context"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// ledger keeps bookings.
type ledger interface {
	add(ctx context.Context, b booking) error
}

// memory keeps them for as long as the process lives.
type memory struct {
	mu       sync.Mutex
	bookings []booking
}

func (m *memory) add(_ context.Context, b booking) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bookings = append(m.bookings, b)
	return nil
}

// table keeps them in DynamoDB. A booking is written in the transaction that
// completes its key: both are there, or neither is, whenever the process ends.
type table struct{ name string }

func (t *table) add(ctx context.Context, b booking) error {
	return dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
		TableName: &t.name,
		Item: map[string]types.AttributeValue{
			"id":       &types.AttributeValueMemberS{Value: b.ID},
			"customer": &types.AttributeValueMemberS{Value: b.Customer},
			"sku":      &types.AttributeValueMemberS{Value: b.SKU},
			"quantity": &types.AttributeValueMemberN{Value: strconv.FormatInt(b.Quantity, 10)},
			"cents":    &types.AttributeValueMemberN{Value: strconv.FormatInt(b.Cents, 10)},
		},
		// An order is booked once, also after its key has expired.
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	}})
}
