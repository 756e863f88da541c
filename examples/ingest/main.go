// Command ingest is an example of a function behind an SNS topic: it books the
// loyalty points of each purchase once, and keeps each event that it cannot book.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/async"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout)
	s, err := open(context.Background())
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(ingest(log, s))
}

// ingest is the function. A purchase that can never be booked goes to the sink at
// once. For any other error Lambda tries again, and its own dead-letter queue takes
// the event in the end.
func ingest(log *slog.Logger, s *services) lambda.Handler {
	return guard.Wrap(guard.Func(s.loyalty.ingest), guard.Default(log), async.DeadLetter(s.deadLetters))
}
