package webhook

import "time"

// At judges every timestamp at t.
func At(t time.Time) Option {
	return func(r *receiver) { r.now = func() time.Time { return t } }
}
