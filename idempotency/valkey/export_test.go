package valkey

import "time"

// SetClock gives a store another clock.
func (s *Store) SetClock(now func() time.Time) { s.now = now }

// SetPause sets how long a store waits before it tries a step again.
func (s *Store) SetPause(d time.Duration) { s.pause = d }

// The scripts, to send without a store.
const (
	ClaimScript    = claimScript
	CompleteScript = completeScript
)
