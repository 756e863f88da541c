package secrets

import "time"

// slack is by how much the clock may go back without being said to have done
// so: clocks are set, and a goroutine that has read one may run later than
// another that has read it after.
const slack = int64(time.Second)

// within reports whether now is between two times. A clock that has gone back
// to before the first is outside, as it does not tell how long ago that was:
// what was kept for a time would otherwise be kept for as long as the clock
// has gone back.
func within(now, from, until int64) bool { return now >= from-slack && now < until }

func after(t int64, d time.Duration) int64 { return t + int64(d) }
