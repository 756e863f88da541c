// Command changes is an example of a consumer of a DynamoDB stream. It announces on an
// EventBridge bus what has become of an order.
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
	bus, err := open(context.Background(), log)
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(announcer(log, bus))
}

// announcer is the function. Changes of one order are announced in order, those of others
// beside them.
func announcer(log *slog.Logger, bus *bus) lambda.Handler {
	return guard.Wrap(batch.DynamoDB(bus.announce, batch.Concurrency(10)), guard.Default(log))
}
