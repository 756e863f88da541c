package guard

import (
	"log/slog"
	"time"
)

// Default is what every function should have, in its order: [Log] to l,
// [Errors], [Recover], [Limit] and [Deadline] with their defaults and 300 ms
// in reserve. For HTTP, list the same layers with httpapi.Problems in the place
// of Errors.
func Default(l *slog.Logger) Middleware {
	return Chain(Log(l), Errors(), Recover(), Limit(Limits{}), Deadline(300*time.Millisecond))
}
