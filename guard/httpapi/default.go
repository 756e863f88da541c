package httpapi

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Start runs h on the Lambda runtime, inside the layers of [Default] and then those
// that are listed, the first outermost. It never returns.
//
//	httpapi.Start(httpapi.Func(place), log,
//		authorizer.Require(check),
//		validate.Body(orderSchema),
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//	)
func Start(h lambda.Handler, l *slog.Logger, layers ...guard.Middleware) {
	guard.Start(h, append([]guard.Middleware{Default(l)}, layers...)...)
}

// Default returns the layers that every HTTP function should have, in their order:
// [guard.Log] to l, [Problems], [SecurityHeaders], [guard.Recover], [guard.Limit] and
// [guard.Deadline] with their defaults and 300 ms in reserve. A function that needs
// other settings, or [CORS] between them, lists the layers itself.
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
