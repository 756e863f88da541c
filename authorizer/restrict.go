package authorizer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/networks"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Scopes returns the grant so far if it has all of the scopes: list it in [All] after a
// check that authenticates the caller. Otherwise it is Forbidden, with the missing
// scopes in the answer (RFC 6750, section 3.1). Without a grant so far it is an internal
// error. Scopes panics if there is no scope, or one that RFC 6749 does not allow.
func Scopes(scopes ...string) Check {
	if len(scopes) == 0 || !validScopes(scopes) {
		panic(fmt.Sprintf("authorizer: Scopes without a scope, or with a malformed one: %q", scopes))
	}
	scopes = slices.Clone(scopes)
	challenge := `Bearer error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`
	return restrict(func(g *Grant) error {
		lacking := slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return slices.Contains(g.Scopes, scope) })
		if len(lacking) == 0 {
			return nil
		}
		return challenged(challenge, guard.Errorf(guard.Forbidden, "insufficient_scope",
			"The credential of %s lacks the scope %s.", g.Principal, strings.Join(lacking, " ")))
	})
}

// Groups returns the grant so far, like [Scopes], if the caller is in at least one of the
// groups. Otherwise it is Forbidden. Groups panics if there is no group, or an empty one.
func Groups(groups ...string) Check {
	if len(groups) == 0 || slices.Contains(groups, "") {
		panic("authorizer: Groups without a group, or with an empty one")
	}
	return restrict(func(g *Grant) error {
		if slices.ContainsFunc(g.Groups, func(group string) bool { return slices.Contains(groups, group) }) {
			return nil
		}
		return guard.Errorf(guard.Forbidden, "not_in_group", "%s is in none of the groups that are allowed this.", g.Principal)
	})
}

var errNoGrant = reason.New("authorizer: Scopes and Groups need a grant so far: put them behind a check that finds out who calls, in All")

func restrict(refuse func(*Grant) error) Check {
	return func(ctx context.Context, _ *Request) (*Grant, error) {
		g, ok := GrantFrom(ctx)
		if !ok {
			return nil, errNoGrant
		}
		if err := refuse(g); err != nil {
			return nil, err
		}
		return g, nil
	}
}

// SourceIP returns the grant so far, see [All], if the gateway took the request from
// one of the networks or addresses: "192.0.2.0/24", "2001:db8::1". Without a grant so
// far it grants to the address as principal. Otherwise it is Forbidden. SourceIP panics
// if there is no network, or one that is malformed or has bits beyond its length.
func SourceIP(nets ...string) Check {
	list, err := networks.Parse(nets...)
	if err != nil {
		panic(fmt.Sprintf("authorizer: SourceIP %v", err))
	}
	return func(ctx context.Context, r *Request) (*Grant, error) {
		addr, err := netip.ParseAddr(r.SourceIP())
		if err != nil || !list.Contains(addr) {
			return nil, guard.Errorf(guard.Forbidden, "source_address", "Requests from this address are not allowed.")
		}
		if g, ok := GrantFrom(ctx); ok {
			return g, nil
		}
		return &Grant{Principal: addr.Unmap().String()}, nil
	}
}
