package authorizer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

type grantKey struct{}

// GrantFrom returns the grant of the caller, which must not be changed, and false
// if there is none. A handler inside [Require] or [FromGateway] has one. A check
// inside [All] has the grant of the check before it.
func GrantFrom(ctx context.Context) (*Grant, bool) {
	g, ok := ctx.Value(grantKey{}).(*Grant)
	return g, ok
}

func withGrant(ctx context.Context, g *Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// All grants if each of the checks does, in order; the first error ends it. List
// checks that find out who calls first, and those that restrict after them: each
// gets the grant of the one before from [GrantFrom]. All returns the last grant,
// which expires when the earliest of them does. It panics if there is no check, or
// a nil one.
func All(checks ...Check) Check {
	mustBeChecks("All", checks)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		var granted *Grant
		var expires time.Time
		for _, c := range checks {
			g, err := c(ctx, r)
			if err != nil || g == nil {
				return nil, err
			}
			if !g.Expires.IsZero() && (expires.IsZero() || g.Expires.Before(expires)) {
				expires = g.Expires
			}
			if !g.Expires.Equal(expires) {
				earlier := *g
				earlier.Expires = expires
				g = &earlier
			}
			if r.as == nil {
				_ = layer.SetPrincipal(ctx, g.Principal) // for the record; Require and FromGateway are told of an error
			}
			granted, ctx = g, withGrant(ctx, g)
		}
		return granted, nil
	}
}

// Any grants if one of the checks does, in order, and returns the first grant. It
// panics if there is no check, or a nil one.
//
// What the decision depends on: everything that the granting check has read. Of the
// failed checks before it, what they have read of the call counts, such as the
// route and the source address: on another route an earlier check might grant less.
// Their reads of what a client supplies are ignored: headers, the query, the
// certificate. If an edge in front of the gateway sets a header, name it in
// [EdgeHeaders].
//
// A broken check grants nothing, and the others are still asked; the log then has
// its code as brokenCheck. If none grants, the error is that of a broken check, for
// it might have granted. Without a broken one it is the denial that says most:
// Forbidden, then a credential that does not hold, then one that is missing.
func Any(checks ...Check) Check {
	mustBeChecks("Any", checks)
	return func(ctx context.Context, r *Request) (*Grant, error) {
		var telling error
		var tried reads
		for _, c := range checks {
			attempt := r.fork()
			g, err := ask(ctx, c, attempt)
			if err == nil {
				if verdictOf(telling) == failed { // which nobody would hear of
					guard.AddAttrs(ctx, slog.String("brokenCheck", guard.Public(telling).Code))
				}
				r.reads.add(tried.ofCall())
				r.reads.add(attempt.reads)
				return g, nil
			}
			tried.add(attempt.reads)
			if telling == nil || tells(err) > tells(telling) {
				telling = err
			}
		}
		r.reads.add(&tried)
		return nil, telling
	}
}

// tells ranks errors by how much an operator or a caller learns from them.
func tells(err error) int {
	switch verdictOf(err) {
	case failed:
		return 3
	case forbidden:
		return 2
	default:
		if guard.Public(err).Code == codeMissing {
			return 0
		}
		return 1
	}
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
