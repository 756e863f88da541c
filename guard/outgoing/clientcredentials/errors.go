package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var prefix = reason.New("clientcredentials")

// unavailable returns the error for a server that cannot be asked now.
func unavailable(err error, retryAfter time.Duration) error {
	return &guard.Error{Kind: guard.Unavailable, Code: "token_unavailable", RetryAfter: retryAfter, Err: fmt.Errorf("%w: %w", prefix, err)}
}

// refused returns the error for an answer that is no token.
func refused(err error) error {
	return &guard.Error{Kind: guard.Internal, Code: "token_refused", Err: fmt.Errorf("%w: %w", prefix, err)}
}

// later returns the error of the last fetch for a caller that comes before the next one.
func later(err error, wait time.Duration) error {
	e := *guard.Public(err)
	if e.Kind == guard.Unavailable {
		e.RetryAfter = wait
	}
	e.Err = fmt.Errorf("%w: %w", reason.New("clientcredentials: the server is not asked again yet"), err)
	return &e
}

// foreign is an error of a transport. It matches what that one does. Its text is shown
// only if it is one of this side: net/http quotes what it cannot read, and a server may
// send the secret back.
type foreign struct{ err error }

func (f foreign) Unwrap() error { return f.err }

func (f foreign) Error() string {
	if e, ok := errors.AsType[net.Error](f.err); ok {
		return e.Error()
	}
	for _, e := range []error{context.Canceled, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(f.err, e) {
			return e.Error()
		}
	}
	return fmt.Sprintf("an %T, whose text may be the server's", f.err)
}
