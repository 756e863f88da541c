package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// jwtAlgorithms are those that API Gateway takes, and user pools sign by.
var jwtAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}

// jwtClaims are those of a verified token, as they stand in it.
type jwtClaims map[string]json.RawMessage

// What is wrong with a token. Only the text about the audience is known to be
// API Gateway's own.
var (
	errToken     = errors.New("the token is not a signed JWT")
	errKeys      = errors.New("OIDC discovery endpoint communication error")
	errSignature = errors.New("the token is not signed by a key of the issuer")
	errIssuer    = errors.New("the token does not have a valid issuer")
	errAudience  = errors.New("the token does not have a valid audience")
	errExpired   = errors.New("the token has expired")
	errNotYet    = errors.New("the token is not yet valid")
)

// verifyJWT checks the signature, the issuer and the times of a token.
func verifyJWT(ctx context.Context, token string, keys *issuerKeys) (jwtClaims, error) {
	signed, err := jose.ParseSignedCompact(token, jwtAlgorithms)
	if err != nil {
		return nil, errToken
	}
	set, err := keys.get(ctx)
	if err != nil {
		return nil, errKeys
	}
	var claims jwtClaims
	verified := slices.ContainsFunc(set.Key(signed.Signatures[0].Header.KeyID), func(key jose.JSONWebKey) bool {
		payload, err := signed.Verify(key)
		return err == nil && json.Unmarshal(payload, &claims) == nil && claims != nil
	})
	switch now := keys.now(); {
	case !verified:
		return nil, errSignature
	case claims.text("iss") != keys.issuer:
		return nil, errIssuer
	case !claims.after("exp", now):
		return nil, errExpired
	case claims.after("nbf", now) || claims.after("iat", now):
		return nil, errNotYet
	}
	return claims, nil
}

func (c jwtClaims) text(name string) (text string) {
	_ = json.Unmarshal(c[name], &text)
	return text
}

// after reports whether the claim is a time that is still to come.
func (c jwtClaims) after(name string, now time.Time) bool {
	seconds, err := strconv.ParseFloat(string(c[name]), 64)
	return err == nil && seconds > float64(now.Unix())
}

// list reads a claim that is a string or an array of strings.
func (c jwtClaims) list(name string) []string {
	if text := c.text(name); text != "" {
		return []string{text}
	}
	var list []string
	_ = json.Unmarshal(c[name], &list)
	return list
}

// scopes are those of scope or else scp, in one string or in an array.
func (c jwtClaims) scopes() []string {
	name := "scope"
	if _, ok := c[name]; !ok {
		name = "scp"
	}
	return strings.Fields(strings.Join(c.list(name), " "))
}

// strings are the claims as an HTTP API tells them: an array in brackets, its
// elements apart by spaces, and nothing for null.
// See https://github.com/floci-io/floci/pull/2011
func (c jwtClaims) strings() map[string]string {
	told := map[string]string{}
	for name, raw := range c {
		if string(raw) != "null" {
			told[name] = claimText(raw, "[", " ", "]")
		}
	}
	return told
}

// userPoolStrings are the claims as a REST API tells them: an array apart by
// commas, and exp and iat as dates.
//
// See https://stackoverflow.com/questions/74180027 by way of
// https://github.com/awsdocs/amazon-api-gateway-developer-guide/issues/158
func (c jwtClaims) userPoolStrings() map[string]string {
	told := map[string]string{}
	for name, raw := range c {
		if string(raw) != "null" {
			told[name] = claimText(raw, "", ",", "")
		}
	}
	for _, name := range []string{"exp", "iat"} {
		if seconds, err := strconv.ParseInt(string(c[name]), 10, 64); err == nil {
			told[name] = time.Unix(seconds, 0).UTC().Format("Mon Jan 02 15:04:05 UTC 2006")
		}
	}
	return told
}

// claimText is a value as a string; what is within an array's element or is an
// object stays JSON.
func claimText(raw json.RawMessage, open, between, closing string) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return string(raw)
	}
	items := make([]string, len(list))
	for i, item := range list {
		if items[i] = string(item); json.Unmarshal(item, &text) == nil {
			items[i] = text
		}
	}
	return open + strings.Join(items, between) + closing
}
