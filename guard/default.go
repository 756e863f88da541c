package guard

import (
	"log/slog"
	"time"
)

// Default is what every function should have, in its order: [Log] to l,
// [Errors], [Recover], [Limit] and [Deadline] with their defaults and 300 ms
// in reserve. It is for what is not HTTP: an authorizer, a queue, a direct
// invocation. Around a handler of package httpapi it panics, as an HTTP client
// would get a 502 for every error: use httpapi.Default there.
func Default(l *slog.Logger) Middleware {
	return Chain(Log(l), Errors(), Recover(), Limit(Limits{}), Deadline(300*time.Millisecond))
}
