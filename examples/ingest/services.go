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
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// services is what the function uses.
type services struct {
	loyalty     *loyalty
	deadLetters batch.Sink
}

// open returns the tables and the queue that the variables name. Only a local run may
// leave them all out: it keeps points in memory and prints dead letters.
func open(ctx context.Context) (*services, error) {
	points, keys, deadLetters := os.Getenv("POINTS_TABLE"), os.Getenv("IDEMPOTENCY_TABLE"), os.Getenv("DEAD_LETTERS_URL")
	switch {
	case points == "" && keys == "" && deadLetters == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return openLocally(), nil
	case points == "":
		return nil, errors.New("POINTS_TABLE is not set")
	case keys == "":
		return nil, errors.New("IDEMPOTENCY_TABLE is not set")
	case deadLetters == "":
		return nil, errors.New("DEAD_LETTERS_URL is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return &services{
		loyalty:     newLoyalty(&table{name: points}, dynamo.New(dynamodb.NewFromConfig(cfg), keys)),
		deadLetters: sqsdead.New(sqs.NewFromConfig(cfg), deadLetters),
	}, nil
}

func openLocally() *services {
	return &services{
		loyalty: newLoyalty(&memory{}, idempotency.NewMemoryStore()),
		deadLetters: batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
			_, err := fmt.Fprintf(os.Stderr, "dead letter %s: %s\n", l.ID, l.Code)
			return err
		}),
	}
}

func newLoyalty(l ledger, keys idempotency.Store) *loyalty {
	return &loyalty{ledger: l, booking: idempotency.NewOperation("book-points", keys)}
}
