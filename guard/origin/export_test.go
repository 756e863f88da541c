package origin

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// RequireAt is Require at a time.
func RequireAt(now time.Time, rules ...Rule) guard.Middleware {
	return require(func() time.Time { return now }, rules)
}
