package quota

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// LimitAt is Limit with another clock.
func LimitAt(now func() time.Time, store Counter, onFailure OnFailure, policies ...Policy) guard.Middleware {
	return limit(now, store, onFailure, policies)
}
