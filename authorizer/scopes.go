package authorizer

import (
	"context"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// errNobody is a check that restricts the grant so far where there is none.
var errNobody = reason.New("authorizer: Scopes and Groups ask about the grant so far, and there is none: put them behind a check that finds out who calls, in All")

// Scopes grants if the grant so far has all of the scopes: see [All]. Otherwise it
// is Forbidden, and the answer names those that are missing (RFC 6750, section 3.1).
// It is an error of ours if there is no grant so far. Scopes panics if there is no
// scope, or one that RFC 6749 does not allow.
func Scopes(scopes ...string) Check {
	if len(scopes) == 0 {
		panic("authorizer: Scopes without a scope")
	}
	for _, scope := range scopes {
		if !validScope(scope) {
			panic("authorizer: Scopes with a scope that is none: " + scope)
		}
	}
	challenge := `Bearer error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`
	return restrict(func(g *Grant) error {
		var lacking []string
		for _, scope := range scopes {
			if !slices.Contains(g.Scopes, scope) {
				lacking = append(lacking, scope)
			}
		}
		if lacking == nil {
			return nil
		}
		return challenged(challenge, guard.Errorf(guard.Forbidden, "insufficient_scope",
			"The credential of %s lacks the scope %s.", g.Principal, strings.Join(lacking, " ")))
	})
}

// Groups grants if the caller of the grant so far is in at least one of the groups:
// see [All]. Otherwise it is Forbidden. It is an error of ours if there is no grant
// so far. Groups panics if there is no group, or an empty one.
func Groups(groups ...string) Check {
	if len(groups) == 0 || slices.Contains(groups, "") {
		panic("authorizer: Groups without a group, or with one without a name")
	}
	return restrict(func(g *Grant) error {
		for _, group := range g.Groups {
			if slices.Contains(groups, group) {
				return nil
			}
		}
		return guard.Errorf(guard.Forbidden, "not_in_group", "%s is in none of the groups that are allowed this.", g.Principal)
	})
}

// restrict lets the grant so far through, or not.
func restrict(refuse func(*Grant) error) Check {
	return func(ctx context.Context, _ *Request) (*Grant, error) {
		g, ok := GrantFrom(ctx)
		if !ok {
			return nil, errNobody
		}
		if err := refuse(g); err != nil {
			return nil, err
		}
		return g, nil
	}
}
