// Command queue is an example of a consumer of an SQS queue: it books each order
// once, and sends what can never be booked to a dead-letter queue.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout)
	s, err := open(context.Background())
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(consumer(log, s))
}

// consumer is the function: what it does with one order, and what becomes of an
// order that fails.
func consumer(log *slog.Logger, s *services) lambda.Handler {
	options := []batch.Option{
		batch.Concurrency(5),
		batch.Reserve(2 * time.Second),
		batch.DeadLetters(s.deadLetters),
		batch.MaxReceives(mostReceives),
	}
	if s.delayer != nil {
		options = append(options, batch.RetryLater(s.delayer, batch.Backoff(5*time.Second, 15*time.Minute)))
	}
	return guard.Wrap(batch.SQS(batch.JSON[events.SQSMessage](s.shop.book), options...), guard.Default(log))
}

// mostReceives is one less than maxReceiveCount in template.yaml, so that an order
// that fails again and again leaves the queue with its reason.
const mostReceives = 4
