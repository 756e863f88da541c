package jwt

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Claims are the claims of a token that has been verified. They may be shared and
// must not be changed.
type Claims struct {
	// Issuer is iss.
	Issuer string
	// Subject is sub. It is unique within the issuer.
	Subject string
	// Audience is aud; a single string is a list of one.
	Audience []string
	// ClientID is the application that the token was issued to: client_id, or the
	// claim that [Config] names. For a load balancer it is client of the header.
	ClientID string
	// TokenUse is token_use. Cognito sets it to "access" or "id".
	TokenUse string
	// ID is jti.
	ID string
	// Expires, NotBefore and IssuedAt are exp, nbf and iat. The latter two are zero
	// if the token does not have them.
	Expires, NotBefore, IssuedAt time.Time
	// Scopes are the scopes of scope, or of scp if there is no scope: a string with
	// spaces between them, or an array.
	Scopes []string
	// Groups are the groups of the claim that [Config] names.
	Groups []string

	bound   bool // the token has cnf
	context map[string]any
	payload []byte
}

// Decode decodes the claims into v, a pointer to a struct. It ignores claims that
// have no field. It returns an Unauthenticated error, token_claims, if a claim has
// another type than its field, or a name that differs from it in case alone.
func (c *Claims) Decode(v any) error {
	if err := strictjson.Unmarshal(c.payload, v, strictjson.Options{}); err != nil {
		return &guard.Error{
			Kind: guard.Unauthenticated, Code: codeClaims,
			Detail: "The token's claims do not have the expected form.", Err: err,
		}
	}
	return nil
}

// claimNames are the claims that have a meaning for every token.
func claimNames() []string {
	return []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "token_use", "scope", "scp", "cnf"}
}

// judgeClaims reads and checks the claims of t.
func (v *Verifier) judgeClaims(t *token) (*Claims, error) {
	payload, ok := v.encoding.Decode(t.payload)
	if !ok {
		return nil, refuse(codeMalformed, "The token's payload is not base64url.")
	}
	members, ok := strictObject(payload, maxClaimsDepth, maxClaimsNodes, v.claimNames)
	if !ok {
		return nil, refuse(codeMalformed, "The token's claims are not a JSON object with one meaning.")
	}
	c, err := v.readClaims(members)
	if err != nil {
		return nil, err
	}
	c.payload = payload
	if v.config.loadBalancer != nil {
		completeFromHeader(c, &t.header)
	}
	return c, v.checkClaims(c, t)
}

func (v *Verifier) readClaims(members map[string]any) (*Claims, error) {
	r := claimsReader{members: members}
	c := &Claims{
		Issuer:    r.text("iss"),
		Subject:   r.text("sub"),
		Audience:  r.texts("aud"),
		ClientID:  r.text(v.config.ClientClaim),
		TokenUse:  r.text("token_use"),
		ID:        r.text("jti"),
		Expires:   r.date("exp"),
		NotBefore: r.date("nbf"),
		IssuedAt:  r.date("iat"),
		Scopes:    r.scopes("scope"),
		context:   r.plainValues(v.config.Context),
	}
	if v.config.Groups != "" {
		c.Groups = r.texts(v.config.Groups)
	}
	if scp := r.scopes("scp"); c.Scopes == nil {
		c.Scopes = scp
	}
	_, c.bound = members["cnf"]
	if r.wrong != "" {
		return nil, refuse(codeClaims, "The claim "+r.wrong+" has the wrong type, or is out of range.")
	}
	return c, nil
}

// A claimsReader reads claims that are there, and notes one with a wrong type.
type claimsReader struct {
	members map[string]any
	wrong   string
}

func (r *claimsReader) text(name string) string {
	value, has := r.members[name]
	text, ok := value.(string)
	if has && !ok {
		r.wrong = name
	}
	return text
}

// texts reads a string, or an array of strings; nil is a claim that is missing.
func (r *claimsReader) texts(name string) []string {
	value, has := r.members[name]
	if !has {
		return nil
	}
	if text, ok := value.(string); ok {
		return []string{text}
	}
	list, ok := value.([]any)
	if !ok {
		r.wrong = name
	}
	texts := []string{}
	for _, element := range list {
		text, ok := element.(string)
		if !ok {
			r.wrong = name
		}
		texts = append(texts, text)
	}
	return texts
}

// scopes reads a list with spaces between its elements (RFC 6749, section 3.3),
// or an array.
func (r *claimsReader) scopes(name string) []string {
	if text, ok := r.members[name].(string); ok {
		return strings.FieldsFunc(text, func(c rune) bool { return c == ' ' })
	}
	return r.texts(name)
}

const (
	lastDate  = 253402300799 // the last second of the year 9999
	maxDigits = 32
)

// date reads a NumericDate (RFC 7519, section 2): seconds since 1970, perhaps
// with a fraction. Anything outside the years 1970 to 9999 is wrong.
func (r *claimsReader) date(name string) time.Time {
	value, has := r.members[name]
	if !has {
		return time.Time{}
	}
	at, ok := numericDate(value)
	if !ok {
		r.wrong = name
	}
	return at
}

func numericDate(value any) (time.Time, bool) {
	n, ok := value.(json.Number)
	if !ok || len(n) > maxDigits || n[0] == '-' {
		return time.Time{}, false
	}
	f, _ := n.Float64() // infinite where it is out of range
	if f > lastDate {
		return time.Time{}, false
	}
	seconds := int64(f)
	return time.Unix(seconds, int64((f-float64(seconds))*1e9)), true
}

// plainValues reads claims for the context of a Grant. It leaves out what is
// missing or null, and returns nil if nothing is left.
func (r *claimsReader) plainValues(names []string) map[string]any {
	var plain map[string]any
	for _, name := range names {
		value := r.members[name]
		switch v := value.(type) {
		case nil:
			continue
		case json.Number:
			value = plainNumber(v)
		case string, bool:
		default:
			value = nil
		}
		if value == nil {
			r.wrong = name
		}
		if plain == nil {
			plain = make(map[string]any, len(names))
		}
		plain[name] = value
	}
	return plain
}

// plainNumber returns a number, and nil for one beyond 2^53 that is not an int64.
// Gateways and many backends read numbers as doubles, which round larger ones: two ids
// could become one. A Grant refuses an int64 beyond it.
func plainNumber(n json.Number) any {
	if whole, err := n.Int64(); err == nil {
		return whole
	}
	if f, _ := n.Float64(); math.Abs(f) < 1<<53 {
		return f
	}
	return nil
}

// checkClaims checks the claims of t (RFC 7519, section 4.1; RFC 9068, section
// 4).
func (v *Verifier) checkClaims(c *Claims, t *token) error {
	isOurs := func(aud string) bool { return slices.Contains(v.config.Audiences, aud) }
	begins := c.NotBefore
	if c.IssuedAt.After(begins) {
		begins = c.IssuedAt
	}
	switch config := &v.config; {
	case !config.UnsafeAnyIssuer && c.Issuer != config.Issuer:
		return refuse(codeIssuer, "The token is from another issuer.")
	case config.TokenUse != "" && c.TokenUse != config.TokenUse:
		return refuse(codeType, "The token is for another use: token_use must be "+config.TokenUse+".")
	case len(config.Audiences) > 0 && !slices.ContainsFunc(c.Audience, isOurs):
		return refuse(codeAudience, "The token is for another audience.")
	case len(config.Clients) > 0 && !slices.Contains(config.Clients, c.ClientID):
		return refuse(codeAudience, "The token was issued to another client.")
	case c.bound && !config.UnsafeAcceptBoundTokens:
		return refuse(codeBound, "The token is bound to a key of its sender (cnf), and no proof of that key is checked here.")
	case t.typ == accessTokenType && !c.isComplete():
		return refuse(codeClaims, "An access token must have iss, aud, sub, client_id, iat and jti.")
	case c.Expires.IsZero():
		return refuse(codeClaims, "The token must have exp.")
	case !t.now.Before(c.Expires.Add(config.Leeway)):
		return refuse(codeExpired, "The token has expired.")
	case begins.After(t.now.Add(v.ahead)):
		return notYetValid(begins.Sub(t.now.Add(v.ahead)))
	}
	return nil
}

// isComplete reports whether c has the claims of RFC 9068, section 2.2; exp is
// checked for every token.
func (c *Claims) isComplete() bool {
	return c.Issuer != "" && len(c.Audience) > 0 && c.Subject != "" && c.ClientID != "" && c.ID != "" && !c.IssuedAt.IsZero()
}
