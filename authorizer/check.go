package authorizer

import "context"

// Check decides on a request. It grants by returning a Grant. An error of the
// kind [guard.Unauthenticated] or [guard.Forbidden] denies. Any other error,
// and a nil Grant without one, means that the check is broken: nobody is
// allowed, no denial is kept in a gateway's cache, and it is logged as a failure
// of ours.
//
// A Check is safe for concurrent use. Of the request it knows what the [Request]
// tells it; what it reads there is what the decision depends on.
type Check func(ctx context.Context, r *Request) (*Grant, error)

// Verifier tells who a bearer token (RFC 6750) was issued to. Its errors are
// those of a [Check].
type Verifier interface {
	Verify(ctx context.Context, token string) (*Grant, error)
}
