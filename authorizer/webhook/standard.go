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

// Standard accepts requests that are signed by the rules of Standard Webhooks:
// webhook-id, webhook-timestamp and webhook-signature over id, timestamp and body.
// If a request has none of these headers, Svix's are read: svix-id, svix-timestamp
// and svix-signature. The two sets are never mixed.
//
// A key is whsec_… for HMAC-SHA256 (v1), or whpk_… for Ed25519 (v1a); the private
// whsk_… is accepted too. A key verifies its own kind of signature only. Its base64
// may lack padding. A key without a prefix is read as whsec_. A whpk_ key is
// public, and is never used as a secret.
//
// Other requests are refused with an Unauthenticated [*guard.Error] of code
// webhook_signature_missing, webhook_signature_malformed, webhook_signature_invalid
// or webhook_timestamp_out_of_range. A malformed key is an Internal error,
// webhook_key_malformed. An error of the keys is returned as it is.
//
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Standard(keys Keys, opts ...Option) guard.Middleware {
	return scheme{name: "standard", read: readStandard, parse: parseStandardKey}.layer(keys, opts)
}

func readStandard(req *request.Request) (claim, error) {
	has := func(prefix string) bool {
		return req.Header(prefix+"id") != "" || req.Header(prefix+"timestamp") != "" || req.Header(prefix+"signature") != ""
	}
	prefix := "webhook-"
	if !has(prefix) && has("svix-") {
		prefix = "svix-"
	}
	for _, name := range []string{"id", "timestamp", "signature"} {
		if req.Header(prefix+name) == "" {
			return claim{}, missing(prefix + name)
		}
	}
	c := claim{id: req.Header(prefix + "id"), sent: req.Header(prefix + "timestamp")}
	if !isID(c.id, ".") {
		return claim{}, malformed(prefix+"id", "1 to 255 printable characters without a dot, a comma or a space")
	}
	if _, ok := parseTime(c.sent); !ok {
		return claim{}, malformed(prefix+"timestamp", "seconds since 1970 in digits")
	}
	c.prefix = c.id + "." + c.sent + "."
	for one := range strings.SplitSeq(req.Header(prefix+"signature"), " ") {
		version, text, _ := strings.Cut(one, ",")
		value := decodeBase64(base64.StdEncoding, text)
		switch {
		case version == "v1" && len(value) == sha256.Size:
			c.macs = append(c.macs, value)
		case version == "v1a" && len(value) == ed25519.SignatureSize:
			c.ed25519 = append(c.ed25519, value)
		}
	}
	if n := c.signatures(); n == 0 || n > maxSignatures {
		return claim{}, malformed(prefix+"signature", "1 to 8 signatures like v1,<base64>, separated by spaces")
	}
	return c, nil
}

func parseStandardKey(text string) (key, error) {
	kind, encoded, hasPrefix := strings.Cut(text, "_") // base64 has no underscore
	if !hasPrefix {
		kind, encoded = "whsec", text
	}
	raw := decodeBase64(base64.StdEncoding, encoded)
	if raw == nil {
		raw = decodeBase64(base64.RawStdEncoding, encoded)
	}
	switch {
	case raw == nil:
		return key{}, reason.New("it is not base64, with or without a prefix whsec_, whpk_ or whsk_")
	case kind == "whsec" && len(raw) >= 24 && len(raw) <= 64:
		return key{hash: sha256.New, secret: raw}, nil
	case kind == "whpk" && len(raw) == ed25519.PublicKeySize:
		return key{public: raw}, nil
	case kind == "whsk" && (len(raw) == ed25519.SeedSize || len(raw) == ed25519.PrivateKeySize):
		// The public half behind the seed may be of another key, so it is computed.
		private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		return key{public: private.Public().(ed25519.PublicKey)}, nil
	default:
		return key{}, reason.New("it must be whsec_ with 24 to 64 bytes, or whpk_ or whsk_ with an Ed25519 key")
	}
}
