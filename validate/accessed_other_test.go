//go:build !linux

package validate_test

import "time"

func accessed(string) (time.Time, bool) { return time.Time{}, false }
