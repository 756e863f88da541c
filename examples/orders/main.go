// Command orders is an example of an HTTP API that validates orders, places each
// order once and looks orders up.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/validate"
)

//go:generate go run github.com/lambdarmor/lambdarmor/validate/schemagen -var orderSchema -o order_schema.go order.schema.json

func main() {
	log := logging.New(os.Stdout)
	orders, keys, err := openStores(context.Background())
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(api(log, &shop{prices: catalogue(), orders: orders}, keys))
}

// api is the function: the routes, and around them the layers that every HTTP
// function should have.
func api(log *slog.Logger, s *shop, keys idempotency.Store) lambda.Handler {
	routes := httpapi.Routes(map[string]lambda.Handler{
		"POST /orders": guard.Wrap(httpapi.Func(s.place),
			validate.Body(orderSchema),
			idempotency.Once(keys, idempotency.Header("Idempotency-Key")),
		),
		"GET /orders/{id}": httpapi.Func(s.get),
	})
	return guard.Wrap(routes, httpapi.Default(log))
}
