//go:build !(linux && amd64)

package secrets

import "time"

// wallClock is the time in nanoseconds since 1970.
func wallClock() int64 { return time.Now().UnixNano() }
