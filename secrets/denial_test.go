package secrets_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// SECURITY: Closed when broken.
func TestADenialIsNeverCoveredByAStaleValue(t *testing.T) {
	bad := errors.New("no such version")
	for _, tc := range []struct {
		err  error
		code string
	}{
		{err: secrets.ErrNotFound, code: "secret_not_found"},
		{err: secrets.ErrDenied, code: "secret_denied"},
		{err: secrets.ErrUndecryptable, code: "secret_undecryptable"},
		{err: bad, code: "secret_failed"},
		{err: &fs.PathError{Op: "open", Path: "x", Err: syscall.EIO}, code: "secret_failed"},
		{err: fmt.Errorf("%w: %w", secrets.ErrUnavailable, secrets.ErrDenied), code: "secret_denied"},
	} {
		for place, deny := range map[string]func(*vault, error){
			"of the value": func(v *vault, err error) { v.setRef(secrets.Ref{Name: name}, secrets.Value{Err: err}) },
			"of the fetch": (*vault).fail,
		} {
			t.Run(tc.code+" "+place, func(t *testing.T) {
				c, v, at := newCache()
				mustGet(t, c, "hunter2")
				deny(v, fmt.Errorf("source: %w", tc.err))
				at.move(5 * time.Minute)
				mustFail(t, c, tc.code, tc.err)
				v.mustHaveBeenAsked(t, 2)

				at.move(5*time.Second - 1)
				mustFail(t, c, tc.code, tc.err)
				v.mustHaveBeenAsked(t, 2)

				at.move(1)
				mustFail(t, c, tc.code, tc.err)
				v.mustHaveBeenAsked(t, 3)

				// An outage does not bring back what was denied.
				v.fail(secrets.ErrUnavailable)
				at.move(5 * time.Second)
				mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)

				v.fail(nil)
				v.set(name, "hunter3", "2")
				at.move(5 * time.Second)
				mustGet(t, c, "hunter3")
			})
		}
	}
}

func TestNegativeTTLOfZeroAsksEachTime(t *testing.T) {
	c, v, _ := newCache(secrets.NegativeTTL(0))
	v.fail(secrets.ErrDenied)
	for range 3 {
		mustFail(t, c, "secret_denied", secrets.ErrDenied)
	}
	v.mustHaveBeenAsked(t, 3)
}
