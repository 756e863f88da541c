//go:build !linux

package schema_test

import "time"

func accessed(string) (time.Time, bool) { return time.Time{}, false }
