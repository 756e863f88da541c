package clientcredentials

import "time"

// SetClock sets the clock of a source.
func SetClock(s *Source, now func() time.Time) { s.clock = now }

// Waiting returns how many callers wait for a token.
func Waiting(s *Source) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching == nil {
		return 0
	}
	return s.fetching.Aboard()
}
