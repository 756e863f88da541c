package webhook

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Standard lets requests through that are signed as Standard Webhooks says:
// webhook-id, webhook-timestamp and webhook-signature over id, timestamp and
// body. The same headers of Svix, svix-id, svix-timestamp and svix-signature, are
// read where a request has none of the former, and never some of both.
//
// A key is whsec_… for HMAC-SHA256 (v1), or whpk_… for Ed25519 (v1a), of which the
// private whsk_… will do as well. A key is only used for its own kind of
// signature. The base64 may lack its padding. Without a prefix a key is whsec_; so
// a public key, which is no secret, has to have its prefix.
//
// Anything else is refused with an Unauthenticated [*guard.Error] of code
// webhook_signature_missing, webhook_signature_malformed,
// webhook_signature_invalid or webhook_timestamp_out_of_range; a key that is
// none is ours to mend: Internal, webhook_key_malformed. An error of keys is
// passed on.
//
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Standard(keys Keys, opts ...Option) guard.Middleware {
	return require(scheme{name: "standard", read: readStandard, parse: parseStandardKey}, keys, opts)
}

// headerNames are those of what a request says of itself.
type headerNames struct{ id, timestamp, signature string }

// headersOf gives the names that a request goes by. One of Standard Webhooks
// decides for all of them: what a sender has signed is in one set.
func headersOf(req *request.Request) headerNames {
	names := headerNames{"webhook-id", "webhook-timestamp", "webhook-signature"}
	svix := headerNames{"svix-id", "svix-timestamp", "svix-signature"}
	if !names.in(req) && svix.in(req) {
		return svix
	}
	return names
}

// in reports whether req has one of them.
func (n headerNames) in(req *request.Request) bool {
	return req.Header(n.id) != "" || req.Header(n.timestamp) != "" || req.Header(n.signature) != ""
}

func readStandard(req *request.Request) (claim, error) {
	names := headersOf(req)
	id, sent, list := req.Header(names.id), req.Header(names.timestamp), req.Header(names.signature)
	switch {
	case id == "":
		return claim{}, missing(names.id)
	case sent == "":
		return claim{}, missing(names.timestamp)
	case list == "":
		return claim{}, missing(names.signature)
	case !validID(id, "."):
		return claim{}, malformed(names.id, "1 to 255 printable characters without a dot, a comma or a space")
	}
	if _, ok := parseTime(sent); !ok {
		return claim{}, malformed(names.timestamp, "seconds since 1970 in digits")
	}
	c := claim{id: id, sent: sent, prefix: id + "." + sent + "."}
	for one := range strings.SplitSeq(list, " ") {
		version, text, _ := strings.Cut(one, ",")
		value, ok := decodeBase64(text)
		switch {
		case version == "v1" && ok && len(value) == sha256.Size:
			c.signatures.macs = append(c.signatures.macs, value)
		case version == "v1a" && ok && len(value) == ed25519.SignatureSize:
			c.signatures.ed25519 = append(c.signatures.ed25519, value)
		}
		if c.signatures.count() > maxSignatures {
			return claim{}, malformed(names.signature, "at most 8 signatures")
		}
	}
	if c.signatures.count() == 0 {
		return claim{}, malformed(names.signature, "signatures like v1,<base64>, separated by spaces")
	}
	return c, nil
}

func parseStandardKey(text string) (key, error) {
	kind, encoded, prefixed := strings.Cut(text, "_") // which base64 has not
	if !prefixed {
		kind, encoded = "whsec", text
	}
	raw, ok := decodeBase64(encoded)
	if !ok {
		raw, ok = decodeStrictly(base64.RawStdEncoding, encoded)
	}
	switch {
	case !ok:
		return key{}, reason.New("not base64, with or without a prefix whsec_, whpk_ or whsk_")
	case kind == "whsec" && len(raw) >= 24 && len(raw) <= 64:
		return key{hash: sha256.New, secret: raw}, nil
	case kind == "whsec":
		return key{}, reason.New("a secret, whsec_, has not 24 to 64 bytes")
	case kind == "whpk" && len(raw) == ed25519.PublicKeySize:
		return key{public: raw}, nil
	case kind == "whsk" && (len(raw) == ed25519.SeedSize || len(raw) == ed25519.PrivateKeySize):
		// The public half is computed: the one behind the seed may be another's.
		private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		return key{public: private.Public().(ed25519.PublicKey)}, nil
	default:
		return key{}, reason.New("neither whsec_ nor whpk_ nor whsk_ with a key of the right size")
	}
}

// decodeBase64 takes the one spelling that a value has: padded, without line
// breaks, nothing in the bits that are left over.
func decodeBase64(text string) ([]byte, bool) { return decodeStrictly(base64.StdEncoding, text) }

func decodeStrictly(e *base64.Encoding, text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	raw, err := e.Strict().DecodeString(text)
	return raw, err == nil && len(raw) > 0
}
