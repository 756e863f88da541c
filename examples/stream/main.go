// Command stream is an example of a consumer of a Kinesis stream. It keeps the stock
// of a shop from the movements that its warehouse reports.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout)
	s, err := open(context.Background(), log)
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(consumer(s), guard.Default(log))
}

// consumer is the function: it books the movements of a batch. Those of one article
// stay in order, others run side by side. One that can never be booked leaves the
// stream for the dead letters, so that it holds up none behind it.
func consumer(s *services) lambda.Handler {
	return batch.Kinesis(batch.JSON[events.KinesisEventRecord](s.warehouse.book),
		batch.Concurrency(8),
		batch.DeadLetters(s.deadLetters),
	)
}
