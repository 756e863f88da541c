package testserver

import (
	"fmt"
	"testing"
)

// A recorder stands in for a test that is expected to fail or to be skipped.
type recorder struct {
	testing.TB
	failed, skipped bool
	message         string
	cleanups        []func()
}

// record runs a test in the recorder, its cleanups included.
func record(t *testing.T, test func(testing.TB)) *recorder {
	t.Helper()
	r := &recorder{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != r {
				panic(v)
			}
		}()
		test(r)
	}()
	for _, f := range r.cleanups {
		f()
	}
	return r
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.failed, r.message = true, fmt.Sprintf(format, args...)
}

func (r *recorder) Fatal(args ...any) {
	r.failed, r.message = true, fmt.Sprint(args...)
	panic(r)
}

func (r *recorder) Skip(args ...any) {
	r.skipped, r.message = true, fmt.Sprint(args...)
	panic(r)
}
