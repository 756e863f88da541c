package httpapi

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Start hands h to the Lambda runtime, with the layers of [Default] around it and
// then those that are listed, the first outermost. It never returns.
//
//	httpapi.Start(httpapi.Func(place), log,
//		authorizer.Require(check),
//		validate.Body(orderSchema),
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//	)
func Start(h lambda.Handler, l *slog.Logger, layers ...guard.Middleware) {
	guard.Start(h, append([]guard.Middleware{Default(l)}, layers...)...)
}

// Default is what every HTTP function should have, in its order: [guard.Log] to
// l, [Problems], [SecurityHeaders], [guard.Recover], [guard.Limit] and
// [guard.Deadline] with their defaults and 300 ms in reserve. A function that
// needs another of them, or [CORS] between, lists them itself.
func Default(l *slog.Logger) guard.Middleware {
	return guard.Chain(
		guard.Log(l),
		Problems(),
		SecurityHeaders(),
		guard.Recover(),
		guard.Limit(guard.Limits{}),
		guard.Deadline(300*time.Millisecond),
	)
}
