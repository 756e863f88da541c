package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// stock keeps how many pieces there are of each article.
type stock interface {
	add(ctx context.Context, sku string, pieces int) error
}

// memory keeps it for as long as the process lives, and logs each change.
type memory struct {
	log *slog.Logger

	mu     sync.Mutex
	pieces map[string]int
}

func (m *memory) add(_ context.Context, sku string, pieces int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pieces[sku] += pieces
	m.log.Info("stock", "sku", sku, "pieces", m.pieces[sku])
	return nil
}

// table keeps it in DynamoDB. The change is written in the transaction that completes
// the movement's key: both are there, or neither is.
type table struct{ name string }

func (t *table) add(ctx context.Context, sku string, pieces int) error {
	expression := "ADD pieces :pieces"
	return dynamo.Stage(ctx, types.TransactWriteItem{Update: &types.Update{
		TableName:        &t.name,
		Key:              map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: sku}},
		UpdateExpression: &expression,
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pieces": &types.AttributeValueMemberN{Value: strconv.Itoa(pieces)},
		},
	}})
}
