package sigv4

import (
	"net/http"
	"time"
)

// WithClock sets the clock of a Transport.
func WithClock(rt http.RoundTripper, now func() time.Time) http.RoundTripper {
	t := *rt.(*transport)
	t.clock = now
	return &t
}
