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

// couldNotAsk reports whether err means that the source could not be asked, so
// that a stale value may be served.
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
	// A bare errno has the methods of a net.Error, even one for a missing file.
	_, errno := network.(syscall.Errno)
	return !errno
}

// denial returns the error for an answer of the source without a value.
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

// outage returns the error for a source that could not be asked.
func outage(ref *Ref, err error, retryAfter time.Duration) error {
	if !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &guard.Error{
		Kind: guard.Unavailable, Code: "secret_unavailable", RetryAfter: retryAfter,
		Err: fmt.Errorf("secrets: %s: %w", describe(ref), err),
	}
}

// waitError returns the error for a caller whose context ended.
func waitError(ctx context.Context, ref *Ref) error {
	err := ctx.Err()
	if err == nil { // the deadline is over, and its timer a little late
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("secrets: wait for %s: %w", describe(ref), err)
}

var errNoName = &guard.Error{Kind: guard.Internal, Code: "secret_name_missing", Err: guard.Reason("secrets: a secret without a name")}

// describe names a value in an error.
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
