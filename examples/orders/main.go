// Command orders is an example of an HTTP API that validates orders, places each
// order once and looks orders up.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/validate"
)

//go:generate go run github.com/lambdarmor/lambdarmor/validate/schemagen -var orderSchema -o order_schema.go order.schema.json

func main() {
	log := logging.New(os.Stdout)
	if err := start(context.Background(), log); err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
}

func start(ctx context.Context, log *slog.Logger) error {
	seen, err := observe(ctx)
	if err != nil {
		return err
	}
	orders, keys, err := openStores(ctx, seen.client)
	if err != nil {
		return err
	}
	s := &shop{prices: catalogue(), orders: orders}
	guard.Start(api(log, s, keys, seen.inner), seen.outer)
	return nil
}

// observed is what observe adds: in traced.go with the tag otel, and else nothing.
type observed struct {
	outer  guard.Middleware // around the function
	inner  guard.Middleware // around what each route calls
	client func(*aws.Config)
}

// api is the function: the routes, and around them the layers that every HTTP
// function should have.
func api(log *slog.Logger, s *shop, keys idempotency.Store, inner guard.Middleware) lambda.Handler {
	routes := httpapi.Routes(map[string]lambda.Handler{
		"POST /orders": guard.Wrap(httpapi.Func(s.place),
			validate.Body(orderSchema),
			idempotency.Once(keys, idempotency.Header("Idempotency-Key")),
			inner,
		),
		"GET /orders/{id}": guard.Wrap(httpapi.Func(s.get), inner),
	})
	return guard.Wrap(routes, httpapi.Default(log))
}
