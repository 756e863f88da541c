package jwt

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Claims are what a token says, once all of it has been verified. They may be
// shared, so they are not to be written to.
type Claims struct {
	// Issuer is iss.
	Issuer string
	// Subject is sub, which is unique within the issuer.
	Subject string
	// Audience is aud; a single one is a list of one.
	Audience []string
	// ClientID is client_id, or what [Config] names for it: the application that
	// the token was issued to. A load balancer has it in the header, as client.
	ClientID string
	// TokenUse is token_use, by which Cognito tells "access" and "id" apart.
	TokenUse string
	// ID is jti.
	ID string
	// Expires, NotBefore and IssuedAt are exp, nbf and iat; the latter two are
	// zero when the token does not have them.
	Expires, NotBefore, IssuedAt time.Time
	// Scopes are those of scope, or of scp where there is none: a string in which
	// spaces part them, or an array.
	Scopes []string
	// Groups are those of the claim that [Config] names for them.
	Groups []string

	bound   bool           // there is cnf, whatever it says
	context map[string]any // what [Config] names for it
	payload string
}

// Decode decodes the claims into v, a pointer to a struct of the caller's own.
// Claims that the struct has no field for are passed over. One whose name
// differs from a field's in case alone, and one of another type, is an
// Unauthenticated error, token_claims.
func (c *Claims) Decode(v any) error {
	if err := strictjson.Unmarshal([]byte(c.payload), v, strictjson.Options{}); err != nil {
		return &guard.Error{
			Kind: guard.Unauthenticated, Code: codeClaims,
			Detail: "The token's claims do not have the form that is expected.", Err: err,
		}
	}
	return nil
}

// The claims that mean something here. Further ones, numbered after these, are
// those that a Config names.
const (
	claimIss = iota
	claimSub
	claimAud
	claimExp
	claimNbf
	claimIat
	claimJti
	claimClientID
	claimTokenUse
	claimScope
	claimScp
	claimCnf
)

var claimNames = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "token_use", "scope", "scp", "cnf"}

// names are the claims that are read: those above, and what a Config names.
type names struct {
	all     []string
	mixed   bool // some are not in lower case
	client  string
	groups  string
	context []string
}

func newNames(client, groups string, context []string) *names {
	n := &names{all: append([]string(nil), claimNames...), client: client, groups: groups, context: context}
	if client == "" {
		n.client = claimNames[claimClientID]
	}
	for _, name := range append([]string{client, groups}, context...) {
		if name != "" {
			n.all = append(n.all, name)
			n.mixed = n.mixed || !lower([]byte(name))
		}
	}
	return n
}

// A claimsReader fills Claims from a payload.
type claimsReader struct {
	*names
	*Claims
	scp []string
}

// readClaims reads a payload. It only tells what is written there.
func readClaims(payload []byte, n *names) (*Claims, error) {
	r := claimsReader{names: n, Claims: &Claims{payload: string(payload)}}
	err := readObject(payload, maxClaimsDepth, maxClaimsNodes, &r)
	if err := asRefusal(err, "The token's claims are not a JSON object with one meaning."); err != nil {
		return nil, err
	}
	if r.Scopes == nil {
		r.Scopes = r.scp
	}
	return r.Claims, nil
}

func (r *claimsReader) member(name []byte) (int, error) {
	for i, known := range r.all {
		if string(name) == known {
			return i, nil
		}
	}
	if (r.mixed || !lower(name)) && variant(name, r.all) {
		return 0, refuse(codeMalformed, "The name of a claim differs from a known one in case alone.")
	}
	return -1, nil
}

func (r *claimsReader) take(member int, value jsontext.Value, at int) error {
	ok := true
	switch member {
	case claimIss:
		r.Issuer, ok = r.text(value, at)
	case claimSub:
		r.Subject, ok = r.text(value, at)
	case claimJti:
		r.ID, ok = r.text(value, at)
	case claimTokenUse:
		r.TokenUse, ok = r.text(value, at)
	case claimAud:
		r.Audience, ok = r.texts(value, at)
	case claimExp:
		r.Expires, ok = numericDate(value)
	case claimNbf:
		r.NotBefore, ok = numericDate(value)
	case claimIat:
		r.IssuedAt, ok = numericDate(value)
	case claimScope:
		r.Scopes, ok = r.scopes(value, at)
	case claimScp:
		r.scp, ok = r.scopes(value, at)
	case claimCnf:
		r.bound = true
	}
	if ok && r.all[member] == r.client {
		r.ClientID, ok = r.text(value, at)
	}
	if ok && r.all[member] == r.groups {
		r.Groups, ok = r.texts(value, at)
	}
	if !ok {
		return refuse(codeClaims, "The claim "+r.all[member]+" has the wrong type, or is out of range.")
	}
	return r.takeContext(r.all[member], value, at)
}

// scopes reads a list as it is written in OAuth (RFC 6749, section 3.3), or an
// array of what such a list has in it.
func (r *claimsReader) scopes(value jsontext.Value, at int) ([]string, bool) {
	list, isText := r.text(value, at)
	if isText {
		return strings.FieldsFunc(list, func(c rune) bool { return c == ' ' }), true
	}
	return r.texts(value, at)
}

// text is what a string says that stands at an offset. It shares the payload's
// memory where it can.
func (r *claimsReader) text(value jsontext.Value, at int) (string, bool) {
	if value.Kind() == jsontext.KindString && bytes.IndexByte(value, '\\') < 0 {
		return r.payload[at+1 : at+len(value)-1], true
	}
	return text(value)
}

// texts reads a string, or an array of them.
func (r *claimsReader) texts(value jsontext.Value, at int) ([]string, bool) {
	if s, ok := r.text(value, at); ok {
		return []string{s}, true
	}
	if value.Kind() != jsontext.KindBeginArray {
		return nil, false
	}
	list := []string{}
	for i := 1; i < len(value)-1; i++ {
		switch value[i] {
		case ' ', '\t', '\r', '\n', ',': // the value is one that has been read
		case '"':
			start := i
			for i++; value[i] != '"'; i++ {
				if value[i] == '\\' {
					i++
				}
			}
			element, _ := r.text(value[start:i+1], at+start)
			list = append(list, element)
		default:
			return nil, false
		}
	}
	return list, true
}
