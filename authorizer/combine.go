package authorizer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

type grantKey struct{}

// GrantFrom gives the grant of the caller: to a handler inside [Require] or
// [FromGateway], and to a check inside [All] that of the checks before it. It
// is not to be changed.
func GrantFrom(ctx context.Context) (*Grant, bool) {
	g, ok := ctx.Value(grantKey{}).(*Grant)
	return g, ok
}

func withGrant(ctx context.Context, g *Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// All grants when each of the checks does, asked in order. Each sees the grant
// of the one before through [GrantFrom]: those that find out who calls come
// first, those that restrict after them. The last grant is that of All, and it
// expires when the first of them does. The first error ends it.
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
				_ = guard.SetPrincipal(ctx, g.Principal) // for the record; Require and FromGateway are told of an error
			}
			granted, ctx = g, withGrant(ctx, g)
		}
		return granted, nil
	}
}

// Any grants when one of the checks does, asked in order: the first grant is
// that of Any. What the checks before it have missed in headers, query and
// certificate is forgotten, as a caller who sends more there loses nothing by
// leaving it out. What they have seen of the call itself counts, as the route and
// the source address: elsewhere the grant may be theirs, and a lesser one.
//
// A check that is broken grants nothing and takes nothing from another's grant;
// the record of the invocation then has its code as brokenCheck. When none grants
// and one of them is broken, the error is that one's: it could
// have granted, so this is no denial. Else it is the most telling denial:
// Forbidden before a credential that does not hold, and that before one that is
// missing.
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
