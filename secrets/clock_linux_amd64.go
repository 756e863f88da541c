package secrets

import "syscall"

// wallClock is the time in nanoseconds since 1970. time.Now reads the
// monotonic clock as well, which takes as long again, and a warm Get does
// little else than to look at the clock.
func wallClock() int64 {
	var now syscall.Timeval
	_ = syscall.Gettimeofday(&now) // fails for a bad pointer alone
	return now.Nano()
}
