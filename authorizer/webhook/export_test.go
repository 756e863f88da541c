package webhook

import "time"

// At sets a clock that stands.
func At(t time.Time) Option { return Clock(func() time.Time { return t }) }

// Clock sets the clock.
func Clock(now func() time.Time) Option { return Option{func(r *receiver) { r.clock = now }} }
