package otel

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// FlushAt is Flush with a clock.
func FlushAt(now func() time.Time, reserve time.Duration, providers ...Flusher) guard.Middleware {
	f := &flusher{reserve: reserve, providers: providers, now: now}
	return layer.Named("otel.Flush", f.around)
}
