package authorizer

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lambdarmor/lambdarmor/authorizer/internal/reads"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// All grants if each of the checks grants, in order. List checks that authenticate the
// caller first, then checks that restrict: for each, [GrantFrom] returns the grant of
// the check before it. All returns the last grant, with the earliest Expires of them
// all. It panics if there is no check, or a nil one.
func All(checks ...Check) Check {
	mustBeChecks("All", checks)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		var granted *Grant
		for _, c := range checks {
			g, err := c(ctx, r)
			if err != nil || g == nil {
				return nil, err
			}
			if granted != nil && endsBefore(granted, g) {
				earlier := *g
				earlier.Expires = granted.Expires
				g = &earlier
			}
			_ = layer.SetPrincipal(ctx, g.Principal) // for the record; Require and FromGateway return the error
			granted, ctx = g, withGrant(ctx, g)
		}
		return granted, nil
	}
}

func endsBefore(a, b *Grant) bool {
	return !a.Expires.IsZero() && (b.Expires.IsZero() || a.Expires.Before(b.Expires))
}

// Any grants if one of the checks does, in order, and returns the first grant. It
// panics if there is no check, or a nil one.
//
// The decision depends on all that the granting check has read. Reads of the failed checks
// before it count if a client cannot leave them out, such as the route: on another route
// an earlier check might grant less. Headers, the query and the certificate do not count;
// name headers that an edge in front of the gateway sets in [EdgeHeaders].
//
// A check that fails with another error grants nothing, and the next check runs; the log
// has its code as brokenCheck. If no check grants, Any returns the error of a broken
// check, as it might have granted. Otherwise it returns, in this order, Forbidden, an
// invalid credential, or a missing one.
func Any(checks ...Check) Check {
	mustBeChecks("Any", checks)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		var failure error
		var tried reads.Record
		for _, c := range checks {
			attempt := r.fork()
			g, err := decide(ctx, c, attempt)
			if err == nil {
				if verdictOf(failure) == failed { // nothing else would report it
					guard.AddAttrs(ctx, slog.String("brokenCheck", guard.Public(failure).Code))
				}
				r.reads.AddAll(&tried, true)
				r.reads.AddAll(attempt.reads, false)
				return g, nil
			}
			tried.AddAll(attempt.reads, false)
			if failure == nil || weight(err) > weight(failure) {
				failure = err
			}
		}
		r.reads.AddAll(&tried, false)
		return nil, failure
	}
}

// weight ranks errors by how useful they are to an operator or a caller.
func weight(err error) int {
	switch verdictOf(err) {
	case failed:
		return 3
	case forbidden:
		return 2
	}
	if guard.Public(err).Code == codeMissing {
		return 0
	}
	return 1
}

func mustBeChecks(name string, checks []Check) {
	if len(checks) == 0 {
		panic("authorizer: " + name + " of no checks")
	}
	for i, c := range checks {
		if c == nil {
			panic(fmt.Sprintf("authorizer: %s with a nil check, number %d", name, i))
		}
	}
}
