package jwt

import (
	"slices"
	"time"
)

// check judges what the claims of t say (RFC 7519, section 4.1; RFC 9068, section
// 4).
func (v *Verifier) check(t *token, c *Claims) error {
	switch {
	case !v.anyIssuer && c.Issuer != v.issuer:
		return refuse(codeIssuer, "The token is from another issuer.")
	case v.tokenUse != "" && c.TokenUse != v.tokenUse:
		return refuse(codeType, "The token is not one for this use: token_use must be "+v.tokenUse+".")
	case len(v.audiences) > 0 && !slices.ContainsFunc(c.Audience, v.isAudience):
		return refuse(codeAudience, "The token is for another audience.")
	case len(v.clients) > 0 && !slices.Contains(v.clients, c.ClientID):
		return refuse(codeAudience, "The token was issued to another client.")
	case c.bound && !v.acceptBound:
		return refuse(codeBound, "The token is bound to a key of its sender (cnf), of which no proof is checked here.")
	case t.typ == accessTokenType && !c.complete():
		return refuse(codeClaims, "An access token must have iss, aud, sub, client_id, iat and jti.")
	}
	return v.checkTimes(c, t.now)
}

// complete reports whether c has what RFC 9068, section 2.2, asks for, exp aside.
func (c *Claims) complete() bool {
	return c.Issuer != "" && len(c.Audience) > 0 && c.Subject != "" && c.ClientID != "" && c.ID != "" && !c.IssuedAt.IsZero()
}

func (v *Verifier) isAudience(aud string) bool { return slices.Contains(v.audiences, aud) }

func (v *Verifier) checkTimes(c *Claims, now time.Time) error {
	switch {
	case c.Expires.IsZero():
		return refuse(codeClaims, "The token must have exp.")
	case !now.Before(c.Expires.Add(v.leeway)):
		return refuse(codeExpired, "The token has expired.")
	}
	begins := c.NotBefore
	if c.IssuedAt.After(begins) {
		begins = c.IssuedAt
	}
	if wait := begins.Sub(now.Add(v.ahead)); !begins.IsZero() && wait > 0 {
		return notYetValid(wait)
	}
	return nil
}
