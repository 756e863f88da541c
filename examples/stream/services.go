package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// services are what the function uses.
type services struct {
	warehouse   *warehouse
	deadLetters batch.Sink
}

// remembered is how long a movement is known: longer than the stream keeps it.
const remembered = 8 * 24 * time.Hour

// open returns the tables and the queue that the variables name. Only a local run may
// leave them all out: it keeps the stock in memory and logs its dead letters.
func open(ctx context.Context, log *slog.Logger) (*services, error) {
	stockTable, keys, deadLetters := os.Getenv("STOCK_TABLE"), os.Getenv("IDEMPOTENCY_TABLE"), os.Getenv("DEAD_LETTERS_URL")
	switch {
	case stockTable == "" && keys == "" && deadLetters == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return newServices(idempotency.NewMemoryStore(), &memory{log: log, pieces: map[string]int{}}, logLetters(log)), nil
	case stockTable == "":
		return nil, errors.New("STOCK_TABLE is not set")
	case keys == "":
		return nil, errors.New("IDEMPOTENCY_TABLE is not set")
	case deadLetters == "":
		return nil, errors.New("DEAD_LETTERS_URL is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return newServices(dynamo.New(dynamodb.NewFromConfig(cfg), keys), &table{name: stockTable}, sqsdead.New(sqs.NewFromConfig(cfg), deadLetters)), nil
}

func newServices(keys idempotency.Store, s stock, deadLetters batch.Sink) *services {
	return &services{
		warehouse:   &warehouse{booking: idempotency.NewOperation("book", keys, idempotency.TTL(remembered)), stock: s},
		deadLetters: deadLetters,
	}
}

// logLetters is the sink of a local run.
func logLetters(log *slog.Logger) batch.Sink {
	return batch.SinkFunc(func(_ context.Context, l batch.DeadLetter) error {
		log.Warn("dead letter", "id", l.ID, "code", l.Code, "detail", l.Detail)
		return nil
	})
}
