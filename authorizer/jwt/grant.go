package jwt

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/authorizer"
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
		if whole, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			plain = whole
		} else if f, err := strconv.ParseFloat(string(value), 64); err == nil {
			plain = f
		}
	case jsontext.KindNull:
		return nil
	}
	if plain == nil {
		return refuse(codeClaims, "The claim "+name+" must be a string, a number or a boolean.")
	}
	if r.Claims.context == nil {
		r.Claims.context = make(map[string]any, len(r.names.context))
	}
	r.Claims.context[name] = plain
	return nil
}

// grant is what a backend may know of verified claims.
func (v *Verifier) grant(c *Claims) (*authorizer.Grant, error) {
	principal := c.Subject
	if v.principal != nil {
		principal = v.principal(c)
	}
	if principal == "" {
		return nil, refuse(codeClaims, "The token does not say whom it was issued to.")
	}
	return &authorizer.Grant{
		Principal: principal,
		Context:   c.context,
		Scopes:    c.Scopes,
		Groups:    c.Groups,
		Expires:   c.Expires,
	}, nil
}
