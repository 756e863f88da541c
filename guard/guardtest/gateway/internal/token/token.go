// Package token verifies JSON Web Tokens as API Gateway does, which accepts RSA
// signatures only.
package token

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Claims are the claims of a verified token, not decoded.
type Claims map[string]json.RawMessage

// What is wrong with a token. Only the text about the audience is known to be
// API Gateway's own.
var (
	ErrAudience  = errors.New("the token does not have a valid audience")
	ErrExpired   = errors.New("the token has expired")
	errMalformed = errors.New("the token is not a signed JWT")
	errKeys      = errors.New("OIDC discovery endpoint communication error")
	errSignature = errors.New("the token is not signed by a key of the issuer")
	errIssuer    = errors.New("the token does not have a valid issuer")
	errNotYet    = errors.New("the token is not yet valid")
)

// Verify checks the signature, the issuer and the times of a token, which may
// stand behind "Bearer ".
func Verify(ctx context.Context, text string, keys *Keys) (Claims, error) {
	if scheme, rest, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "Bearer") {
		text = rest
	}
	signed, signature64, _ := cutLast(text, ".")
	header64, payload64, _ := strings.Cut(signed, ".")
	var header struct {
		Algorithm string          `json:"alg"`
		KeyID     string          `json:"kid"`
		Critical  json.RawMessage `json:"crit"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(signature64)
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}
	if err != nil || decodePart(header64, &header) != nil || hash[header.Algorithm] == 0 || header.Critical != nil {
		return nil, errMalformed
	}
	candidates, err := keys.get(ctx, header.KeyID)
	if err != nil {
		return nil, errKeys
	}
	digest := hash[header.Algorithm].New()
	digest.Write([]byte(signed))
	verified := slices.ContainsFunc(candidates, func(key *rsa.PublicKey) bool {
		return rsa.VerifyPKCS1v15(key, hash[header.Algorithm], digest.Sum(nil), signature) == nil
	})
	var claims Claims
	switch now := keys.now(); {
	case !verified || decodePart(payload64, &claims) != nil || claims == nil:
		return nil, errSignature
	case claims.Text("iss") != keys.issuer:
		return nil, errIssuer
	case !claims.after("exp", now):
		return nil, ErrExpired
	case claims.after("nbf", now) || claims.after("iat", now):
		return nil, errNotYet
	}
	return claims, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Text returns a claim that is a string, or "".
func (c Claims) Text(name string) (text string) {
	_ = json.Unmarshal(c[name], &text)
	return text
}

// after reports whether the claim is a time that is still to come.
func (c Claims) after(name string, now time.Time) bool {
	seconds, err := strconv.ParseFloat(string(c[name]), 64)
	return err == nil && seconds > float64(now.Unix())
}

// List reads a claim that is a string or an array of strings.
func (c Claims) List(name string) []string {
	if text := c.Text(name); text != "" {
		return []string{text}
	}
	var list []string
	_ = json.Unmarshal(c[name], &list)
	return list
}

// Scopes returns the scopes of the claim scope, or else scp: one string or an
// array.
func (c Claims) Scopes() []string {
	name := "scope"
	if _, ok := c[name]; !ok {
		name = "scp"
	}
	return strings.Fields(strings.Join(c.List(name), " "))
}

// Strings are the claims as an HTTP API passes them on: an array in brackets, its
// elements separated by spaces, and nothing for null.
// See https://github.com/floci-io/floci/pull/2011
func (c Claims) Strings() map[string]string { return c.texts("[", " ", "]") }

// UserPoolStrings are the claims as a REST API passes them on: an array separated
// by commas, and exp and iat as dates.
//
// See https://stackoverflow.com/questions/74180027 by way of
// https://github.com/awsdocs/amazon-api-gateway-developer-guide/issues/158
func (c Claims) UserPoolStrings() map[string]string {
	texts := c.texts("", ",", "")
	for _, name := range []string{"exp", "iat"} {
		if seconds, err := strconv.ParseInt(string(c[name]), 10, 64); err == nil {
			texts[name] = time.Unix(seconds, 0).UTC().Format("Mon Jan 02 15:04:05 UTC 2006")
		}
	}
	return texts
}

func (c Claims) texts(open, between, closing string) map[string]string {
	texts := map[string]string{}
	for name, raw := range c {
		if string(raw) != "null" {
			texts[name] = claimText(raw, open, between, closing)
		}
	}
	return texts
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
