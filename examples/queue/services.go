package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/guard/batch/visibility"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// services is what the function uses.
type services struct {
	shop        *shop
	deadLetters batch.Sink
	delayer     batch.Delayer // nil where the queue decides when a message comes again
}

// open returns the tables and the queue that the variables name. Only a local run
// may leave them all out: it keeps bookings in memory and prints dead letters.
func open(ctx context.Context) (*services, error) {
	bookings, keys, deadLetters := os.Getenv("BOOKINGS_TABLE"), os.Getenv("IDEMPOTENCY_TABLE"), os.Getenv("DEAD_LETTERS_URL")
	switch {
	case bookings == "" && keys == "" && deadLetters == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return openLocally(), nil
	case bookings == "":
		return nil, errors.New("BOOKINGS_TABLE is not set")
	case keys == "":
		return nil, errors.New("IDEMPOTENCY_TABLE is not set")
	case deadLetters == "":
		return nil, errors.New("DEAD_LETTERS_URL is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	queue := sqs.NewFromConfig(cfg)
	return &services{
		shop:        newShop(&table{name: bookings}, dynamo.New(dynamodb.NewFromConfig(cfg), keys)),
		deadLetters: sqsdead.New(queue, deadLetters),
		delayer:     visibility.New(queue),
	}, nil
}

func openLocally() *services {
	return &services{
		shop: newShop(&memory{}, idempotency.NewMemoryStore()),
		deadLetters: batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
			_, err := fmt.Fprintf(os.Stderr, "dead letter %s: %s\n", l.ID, l.Code)
			return err
		}),
	}
}

func newShop(l ledger, keys idempotency.Store) *shop {
	return &shop{prices: catalogue(), ledger: l, booking: idempotency.NewOperation("book", keys)}
}
