package dynamo

import "time"

// SetClock sets the clock of a store that is in use.
func (s *Store) SetClock(now func() time.Time) { Clock(now).apply(s) }
