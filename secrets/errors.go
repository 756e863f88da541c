package secrets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// couldNotAsk reports whether err says that the source could not be asked: a
// value that was fetched before may then stand.
func couldNotAsk(err error) bool {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) || errors.Is(err, ErrUndecryptable) {
		return false
	}
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	var network net.Error
	if !errors.As(err, &network) {
		return false
	}
	// A bare errno has the methods of a net.Error, also that of a missing file.
	_, errno := network.(syscall.Errno)
	return !errno
}

// denial is the error of a source that has answered, and given no value.
func denial(ref *Ref, err error) error {
	code := "secret_failed"
	switch {
	case errors.Is(err, ErrNotFound):
		code = "secret_not_found"
	case errors.Is(err, ErrDenied):
		code = "secret_denied"
	case errors.Is(err, ErrUndecryptable):
		code = "secret_undecryptable"
	}
	return &guard.Error{Kind: guard.Internal, Code: code, Err: fmt.Errorf("secrets: %s: %w", describe(ref), err)}
}

// outage is the error of a source that could not be asked and will not be for
// a while.
func outage(ref *Ref, err error, again time.Duration) error {
	if !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &guard.Error{
		Kind: guard.Unavailable, Code: "secret_unavailable", RetryAfter: max(again, 0),
		Err: fmt.Errorf("secrets: %s: %w", describe(ref), err),
	}
}

// left is the error of one who did not wait for the answer.
func left(ctx context.Context, ref *Ref) error {
	err := ctx.Err()
	if err == nil { // the deadline is over, and its timer a little late
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("secrets: wait for %s: %w", describe(ref), err)
}

var errNoName = &guard.Error{Kind: guard.Internal, Code: "secret_name_missing", Err: guard.Reason("secrets: a secret without a name")}

// describe names a value for an error.
func describe(ref *Ref) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", ref.Name)
	if ref.Stage != "" {
		fmt.Fprintf(&b, " stage %q", ref.Stage)
	}
	if ref.Version != "" {
		fmt.Fprintf(&b, " version %q", ref.Version)
	}
	if ref.Encrypted {
		b.WriteString(" as stored")
	}
	return b.String()
}
