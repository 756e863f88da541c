package guard

import (
	"log/slog"
	"time"
)

// Default is the chain for functions that are not HTTP, such as authorizers and
// queue consumers: [Log] to l, [Errors], [Recover], [Limit], and [Deadline] with
// 300 ms in reserve. It panics around a handler of package httpapi, whose clients
// would get a 502 for every error: use httpapi.Default there.
func Default(l *slog.Logger) Middleware {
	return Chain(Log(l), Errors(), Recover(), Limit(Limits{}), Deadline(300*time.Millisecond))
}
