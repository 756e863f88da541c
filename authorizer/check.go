package authorizer

import "context"

// Check decides on a request. It returns a Grant to allow it, and an error of the
// kind [guard.Unauthenticated] or [guard.Forbidden] to deny it. Any other error,
// and a nil Grant without one, means that the check is broken: nobody is allowed,
// the gateway stores nothing, and the log has an error.
//
// A Check must be safe for concurrent use. The decision depends on what it reads
// from the [Request].
type Check func(ctx context.Context, r *Request) (*Grant, error)
