package metadata

import "time"

// SetClock sets the clock of c.
func SetClock(c *Client, now func() time.Time) { c.now = now }

// Ask makes c wait as if a request were under way.
func Ask(c *Client) { c.turn <- struct{}{} }
