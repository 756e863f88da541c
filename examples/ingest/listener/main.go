// Command listener persists what reaches the dead-letter queue of ingest, so that it
// outlives the queue's 14 days and can be looked at and run again.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout)
	store, err := open(context.Background())
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(listener(log, store))
}

// listener is the function. A message that could not be kept comes again, for as long as
// the queue keeps it: there is no dead-letter queue behind this one.
func listener(log *slog.Logger, to store) lambda.Handler {
	return guard.Wrap(batch.SQS(keep(to), batch.Concurrency(5)), guard.Default(log))
}
