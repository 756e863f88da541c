package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// orderStore keeps orders. An order can be read once its request is answered; in a
// table, not earlier.
type orderStore interface {
	put(ctx context.Context, o order) error
	get(ctx context.Context, id string) (order, bool, error)
}

// openStores returns the tables named by ORDERS_TABLE and IDEMPOTENCY_TABLE. Only a
// local run may leave both out and keep orders in memory: a deployed function that
// forgets its orders must not start. client may be nil, or changes how AWS is called.
func openStores(ctx context.Context, client func(*aws.Config)) (orderStore, idempotency.Store, error) {
	ordersTable, keysTable := os.Getenv("ORDERS_TABLE"), os.Getenv("IDEMPOTENCY_TABLE")
	switch {
	case ordersTable == "" && keysTable == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return &memory{orders: map[string]order{}}, idempotency.NewMemoryStore(), nil
	case ordersTable == "":
		return nil, nil, errors.New("ORDERS_TABLE is not set")
	case keysTable == "":
		return nil, nil, errors.New("IDEMPOTENCY_TABLE is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if client != nil {
		client(&cfg)
	}
	db := dynamodb.NewFromConfig(cfg)
	return &table{client: db, name: ordersTable}, dynamo.New(db, keysTable), nil
}
