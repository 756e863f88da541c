package authorizer

import "time"

// SetKeyClock gives a set of SecretKeys or JSONKeys another clock.
func SetKeyClock(keys KeySet, now func() time.Time) { keys.(*secretKeys).now = now }
