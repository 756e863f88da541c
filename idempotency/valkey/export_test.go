package valkey

import "time"

// SetClock gives a store another clock.
func (s *Store) SetClock(now func() time.Time) { s.now = now }
