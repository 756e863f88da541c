package flight

import "time"

// A Budget allows one call in each period of Every, and Burst calls in a row
// after a quiet time. It is not safe for concurrent use.
type Budget struct {
	Every time.Duration
	Burst int

	spent time.Time // when all calls that were taken are allowed again
}

// Wait returns how long the next call has to wait; 0 if it need not.
func (b *Budget) Wait(now time.Time) time.Duration {
	return max(b.ahead(now)-time.Duration(b.Burst-1)*b.Every, 0)
}

// Take counts a call.
func (b *Budget) Take(now time.Time) { b.spent = now.Add(b.ahead(now) + b.Every) }

// ahead is the time until all calls are allowed again. If it is more than a full
// burst, the clock has been set back, and it counts as 0.
func (b *Budget) ahead(now time.Time) time.Duration {
	ahead := b.spent.Sub(now)
	if ahead < 0 || ahead > time.Duration(b.Burst)*b.Every {
		return 0
	}
	return ahead
}
