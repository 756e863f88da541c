package webhook

import "time"

// At judges every timestamp at t.
func At(t time.Time) Option { return Clock(func() time.Time { return t }) }

// Clock judges timestamps, and when keys are fetched anew, by another clock.
func Clock(now func() time.Time) Option { return func(r *receiver) { r.now = now } }
