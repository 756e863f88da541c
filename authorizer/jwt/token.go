package jwt

import (
	"bytes"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a token, in bytes and values.
const (
	maxToken       = 16 << 10
	maxHeader      = 4 << 10 // as it is encoded
	maxSignature   = 2 << 10 // as it is encoded; one of RSA with 8192 bits has 1366
	maxHeaderDepth = 8
	maxHeaderNodes = 64
	maxKeyID       = 256
	maxClaimsDepth = 32
	maxClaimsNodes = 2 << 10
)

// A token is one that has been taken apart. Nothing of it is known to be true.
type token struct {
	*header
	encoding
	signed    []byte // header and payload, as they are encoded
	payload   []byte // encoded
	signature []byte // encoded

	verifier *Verifier
	now      time.Time
	claims   *Claims // once they are plausible
}

// split finds where the payload of a compact JWS begins (RFC 7515, section
// 7.1), and where it ends.
func split(text string) (begin, end int, err error) {
	if len(text) > maxToken {
		return 0, 0, refuse(codeTooLarge, "The token is longer than 16 kB.")
	}
	first, last := strings.IndexByte(text, '.'), strings.LastIndexByte(text, '.')
	if first == last || last == len(text)-1 || strings.IndexByte(text[first+1:last], '.') >= 0 {
		return 0, 0, refuse(codeMalformed, "The token is not a signed JWT: it must have three parts.")
	}
	return first + 1, last, nil
}

// A header is what is taken from a JOSE header. Keys that come with a token, or
// that it points to (jwk, jku, x5u, x5c), are nowhere looked at.
type header struct {
	alg Algorithm
	kid string // "" when there is none
	typ string // in lower case, without "application/"; "" when there is none

	// What a load balancer adds.
	alb                    bool // it is read
	signer, client, issuer string
	exp                    jsontext.Value
}

// readHeader decodes and reads a header. What it asks for beyond a plain
// signature is refused here.
func readHeader(encoded string, e encoding, alb bool) (*header, error) {
	if len(encoded) > maxHeader {
		return nil, refuse(codeTooLarge, "The token's header is longer than 4 kB.")
	}
	data, ok := e.appendDecoded(nil, []byte(encoded))
	if !ok {
		return nil, refuse(codeMalformed, "The token's header is not base64url.")
	}
	h := &header{alb: alb}
	if err := h.read(data); err != nil {
		return nil, err
	}
	return h, nil
}

// The members of a header that mean something here. Those that no token may
// have come first.
const (
	headerCrit = iota
	headerB64
	headerCty
	headerEnc
	headerZip
	headerAlg
	headerKid
	headerTyp
	headerSigner
	headerClient
	headerIss
	headerExp
)

var headerNames = []string{"crit", "b64", "cty", "enc", "zip", "alg", "kid", "typ", "signer", "client", "iss", "exp"}

func (h *header) read(data []byte) error {
	err := readObject(data, maxHeaderDepth, maxHeaderNodes, h)
	if err := asRefusal(err, "The token's header is not a JSON object with one meaning."); err != nil {
		return err
	}
	if h.alg == "" {
		return refuse(codeMalformed, "The token's header must have alg.")
	}
	return nil
}

func (h *header) member(name []byte) (int, error) {
	for i, known := range headerNames {
		if string(name) == known {
			return i, nil
		}
	}
	if !lower(name) && variant(name, headerNames) {
		return 0, refuse(codeMalformed, "A member of the token's header differs from a known one in case alone.")
	}
	return -1, nil
}

func (h *header) take(member int, value jsontext.Value, _ int) error {
	switch member {
	case headerCrit:
		return refuse(codeMalformed, "The token's header asks for extensions: crit is not accepted.")
	case headerB64:
		return refuse(codeMalformed, "The token's header must not have b64.")
	case headerCty:
		return refuse(codeMalformed, "The token's header has cty, as one token inside of another would.")
	case headerEnc, headerZip:
		return refuse(codeMalformed, "The token's header is one of an encrypted token.")
	case headerAlg:
		h.alg = algorithm(unquote(value))
	case headerSigner, headerClient, headerIss, headerExp:
		if !h.alb {
			return nil
		}
	}
	if member == headerExp {
		h.exp = value.Clone()
		return nil
	}
	return h.takeText(member, value)
}

func (h *header) takeText(member int, value jsontext.Value) error {
	if value.Kind() != jsontext.KindString {
		return refuse(codeMalformed, "A member of the token's header must be a string.")
	}
	switch member {
	case headerKid:
		h.kid, _ = text(value)
		if h.kid == "" || len(h.kid) > maxKeyID {
			return refuse(codeMalformed, "The token's kid must have 1 to 256 bytes.")
		}
	case headerTyp:
		h.typ = mediaType(unquote(value))
	case headerSigner:
		h.signer, _ = text(value)
	case headerClient:
		h.client, _ = text(value)
	case headerIss:
		h.issuer, _ = text(value)
	}
	return nil
}

// algorithm is the Algorithm of that name, or "none", which stands for all that
// are not.
func algorithm(name []byte) Algorithm {
	for _, a := range [...]Algorithm{
		RS256, ES256, EdDSA, Ed25519, ES384, ES512, RS384, RS512, PS256, PS384, PS512, HS256, HS384, HS512,
	} {
		if string(name) == string(a) {
			return a
		}
	}
	return "none"
}

// mediaType is the short form of a typ, which is compared without regard to
// case (RFC 7515, section 4.1.9).
func mediaType(typ []byte) string {
	if string(typ) == "JWT" {
		return "jwt"
	}
	typ = bytes.ToLower(typ)
	short, cut := bytes.CutPrefix(typ, []byte("application/"))
	if cut && bytes.IndexByte(short, '/') < 0 {
		return string(short)
	}
	return string(typ)
}
