package jwt

import (
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// grant returns the Grant of verified claims. If there can be none, the token is
// refused: it is no reason for an authorizer to fail.
func (v *Verifier) grant(c *Claims) (*authorizer.Grant, error) {
	g := &authorizer.Grant{
		Principal: v.config.Principal(c),
		Context:   c.context,
		Scopes:    c.Scopes,
		Groups:    c.Groups,
		Expires:   c.Expires.Add(v.config.Leeway),
	}
	if g.Principal == "" {
		return nil, refuse(codeClaims, "The token does not say whom it was issued to.")
	}
	if err := g.Validate(); err != nil {
		return nil, &guard.Error{
			Kind: guard.Unauthenticated, Code: codeClaims,
			Detail: "The token has a claim that gateways do not pass on.", Err: err,
		}
	}
	return g, nil
}
