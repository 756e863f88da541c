package jwt

import (
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Bounds of a token, in bytes and JSON values.
const (
	maxToken       = 16 << 10
	maxHeader      = 4 << 10 // encoded
	maxSignature   = 2 << 10 // encoded; one of RSA with 8192 bits has 1366
	maxHeaderDepth = 8
	maxHeaderNodes = 64
	maxClaimsDepth = 32
	maxClaimsNodes = 2 << 10
)

// A token is the text of a compact JWS (RFC 7515, section 7.1), taken apart. Only
// its header has been checked.
type token struct {
	header
	signed    string // header and payload, encoded
	payload   string // encoded
	signature string // encoded

	now    time.Time
	judge  func(t *token) (*Claims, error)
	claims *Claims // set by plausible
}

// plausible reads and checks the claims, once, whether or not the signature has
// been verified yet.
func (t *token) plausible() (err error) {
	if t.claims == nil {
		t.claims, err = t.judge(t)
	}
	return err
}

// split takes a token apart, and reads and checks its header.
func (v *Verifier) split(text string, now time.Time) (*token, error) {
	if len(text) > maxToken {
		return nil, refuse(codeTooLarge, "The token is longer than 16 kB.")
	}
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 3 || parts[2] == "" {
		return nil, refuse(codeMalformed, "The token is not a signed JWT: it must have three parts.")
	}
	if len(parts[0]) > maxHeader {
		return nil, refuse(codeTooLarge, "The token's header is longer than 4 kB.")
	}
	h, err := v.readHeader(parts[0])
	if err != nil {
		return nil, err
	}
	return &token{
		header: h, signed: text[:len(text)-len(parts[2])-1], payload: parts[1], signature: parts[2],
		now: now, judge: v.judgeClaims,
	}, nil
}

// A header has the members of a JOSE header that are used. Keys in a token and
// links to keys (jwk, jku, x5u, x5c) are ignored.
type header struct {
	alg Algorithm
	kid string // "" if there is none
	typ string // in lower case, without "application/"; "" if there is none

	members map[string]any
}

// Members of a header that ask for more than a signature, and members that are
// read. No other name may differ from one of them in case alone.
var (
	refusedMembers = []string{"crit", "b64", "cty", "enc", "zip"}
	headerMembers  = append([]string{"alg", "kid", "typ", "signer", "client", "iss", "exp"}, refusedMembers...)
)

func (v *Verifier) readHeader(encoded string) (h header, err error) {
	data, ok := v.encoding.Decode(encoded)
	if !ok {
		return h, refuse(codeMalformed, "The token's header is not base64url.")
	}
	if h.members, ok = strictObject(data, maxHeaderDepth, maxHeaderNodes, headerMembers); !ok {
		return h, refuse(codeMalformed, "The token's header is not a JSON object with one meaning.")
	}
	for _, name := range refusedMembers {
		if _, has := h.members[name]; has {
			return h, refuse(codeMalformed, "The token's header must not have "+name+".")
		}
	}
	for _, name := range []string{"alg", "kid", "typ"} {
		value, has := h.members[name]
		if _, isText := value.(string); !isText && (has || name == "alg") {
			return h, refuse(codeMalformed, "The token's header must have alg, and alg, kid and typ must be strings.")
		}
	}
	h.alg, h.kid, h.typ = Algorithm(h.text("alg")), h.text("kid"), mediaType(h.text("typ"))
	_, hasKid := h.members["kid"]
	switch {
	case hasKid && h.kid == "" || len(h.kid) > jws.MaxID:
		return h, refuse(codeMalformed, "The token's kid must have 1 to 256 bytes.")
	case !slices.Contains(v.config.Algorithms, h.alg):
		return h, refuse(codeAlgorithm, "The token's algorithm is not accepted.")
	case !slices.Contains(v.config.Types, h.typ):
		return h, refuse(codeType, "The token is of another type.")
	}
	return h, nil
}

// text returns a member that is a string, or "".
func (h *header) text(name string) string {
	text, _ := h.members[name].(string)
	return text
}

// mediaType returns the short form of a typ, which has no case (RFC 7515, section
// 4.1.9).
func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

// strictObject decodes the one JSON object that data has to be. It refuses
// duplicate names and invalid UTF-8 at any depth, and names that differ from a
// known one in case alone: another reader could take them for it.
func strictObject(data []byte, maxDepth, maxNodes int, known []string) (map[string]any, bool) {
	if strictjson.Check(data, maxDepth, maxNodes) != nil {
		return nil, false
	}
	tree, err := strictjson.Tree(data)
	members, ok := tree.(map[string]any)
	if err != nil || !ok {
		return nil, false
	}
	for name := range members {
		isVariant := func(k string) bool { return strings.EqualFold(name, k) }
		if !slices.Contains(known, name) && slices.ContainsFunc(known, isVariant) {
			return nil, false
		}
	}
	return members, true
}
