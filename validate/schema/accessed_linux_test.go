package schema_test

import (
	"os"
	"syscall"
	"time"
)

// accessed returns when a file was last read, if the file system keeps that.
func accessed(name string) (time.Time, bool) {
	info, err := os.Stat(name)
	if err != nil {
		return time.Time{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(stat.Atim.Unix()), true
}
