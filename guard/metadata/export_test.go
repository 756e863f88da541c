package metadata

import "time"

// SetClock sets the clock of c.
func SetClock(c *Client, now func() time.Time) { c.now = now }
