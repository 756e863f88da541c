package jwt

import (
	"errors"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
)

// takeContext keeps a claim that the backend is to be told.
func (r *claimsReader) takeContext(name string, value jsontext.Value, at int) error {
	if !slices.Contains(r.names.context, name) {
		return nil
	}
	var plain any
	switch value.Kind() {
	case jsontext.KindString:
		plain, _ = r.text(value, at)
	case jsontext.KindTrue, jsontext.KindFalse:
		plain = value.Kind() == jsontext.KindTrue
	case jsontext.KindNumber:
		plain = number(string(value))
	case jsontext.KindNull:
		return nil
	}
	if plain == nil {
		return refuse(codeClaims, "The claim "+name+" must be a string, a number that needs no rounding, or a boolean.")
	}
	if r.Claims.context == nil {
		r.Claims.context = make(map[string]any, len(r.names.context))
	}
	r.Claims.context[name] = plain
	return nil
}

// number is a whole number that a double holds exactly, as gateways and most
// backends read one, or a fraction; nil is any other. Of an id in digits that is
// rounded, there would be two.
func number(text string) any {
	whole, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err == nil && -1<<53 <= whole && whole <= 1<<53:
		return whole
	case !errors.Is(err, strconv.ErrSyntax):
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return f
}

// grant is what a backend may know of verified claims. A token of which no Grant
// can be made is a bad one, and no reason to fail.
func (v *Verifier) grant(c *Claims) (*authorizer.Grant, error) {
	g := &authorizer.Grant{
		Principal: c.Subject,
		Context:   c.context,
		Scopes:    c.Scopes,
		Groups:    c.Groups,
		Expires:   c.Expires.Add(v.leeway), // or whoever goes by it would take the leeway back
	}
	if v.principal != nil {
		g.Principal = v.principal(c)
	}
	if g.Principal == "" {
		return nil, refuse(codeClaims, "The token does not say whom it was issued to.")
	}
	if err := g.Validate(); err != nil {
		return nil, &guard.Error{Kind: guard.Unauthenticated, Code: codeClaims, Detail: "The token has a claim that nobody can be told.", Err: err}
	}
	return g, nil
}
