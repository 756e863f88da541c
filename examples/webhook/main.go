// Command webhook is an example of a receiver of webhooks from a payment provider.
// It accepts only what the provider has signed, and books each report once.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// remembered is how long a delivery is known: longer than the provider repeats a
// delivery that is not answered.
const remembered = 4 * 24 * time.Hour

func main() {
	log := logging.New(os.Stdout)
	s, err := open(context.Background())
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(receiver(log, s))
}

// receiver is the function: its one route, and the layers around it.
func receiver(log *slog.Logger, s *services) lambda.Handler {
	routes := httpapi.Routes(map[string]lambda.Handler{
		"POST /payments": guard.Wrap(httpapi.Func(s.books.receive),
			webhook.Standard(s.signingKeys),
			idempotency.Once(s.deliveries, webhook.DeliveryID, idempotency.Name("payments"), idempotency.TTL(remembered)),
		),
	})
	return guard.Wrap(routes,
		guard.Log(log),
		httpapi.Problems(httpapi.Challenge("Webhook-Signature")),
		httpapi.SecurityHeaders(),
		guard.Recover(),
		guard.Deadline(300*time.Millisecond),
		guard.Limit(guard.Limits{Body: 64 << 10}),
	)
}
