package webhook

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// HMACConfig describes a sender that follows no standard. For Slack:
//
//	webhook.HMACConfig{
//		Signature: "X-Slack-Signature", Prefix: "v0=",
//		Timestamp: "X-Slack-Request-Timestamp",
//		Content:   "v0:{timestamp}:{body}",
//	}
type HMACConfig struct {
	// Signature is the header with the signature.
	Signature string
	// Prefix is the text before the signature, such as "sha256=".
	Prefix string
	// Base64 is true if the signature is in base64, false if it is hexadecimal.
	Base64 bool
	// SHA512 is true if the hash is SHA-512, false if it is SHA-256.
	SHA512 bool
	// Timestamp is the header with the time of signing in Unix seconds, "" for none.
	Timestamp string
	// ID is the header with the id of the delivery, "" for none.
	ID string
	// Content is what is signed; empty is "{body}". It must end in {body}, and have
	// {timestamp} and {id} exactly if their headers are set, as unsigned values
	// cannot be trusted. Each value must be followed by text that cannot occur in
	// it.
	Content string
}

// HMAC accepts requests that are signed with an HMAC as c describes. The bytes of a
// key's text are used as they are, without decoding. It returns the errors of
// [Standard], and panics if c contradicts itself.
func HMAC(c HMACConfig, keys Keys, opts ...Option) guard.Middleware {
	values, wrong := c.parse()
	if wrong == "" && len(opts) > 0 && c.Timestamp == "" {
		wrong = "a Tolerance needs a Timestamp"
	}
	if wrong != "" {
		panic("webhook: HMAC: " + wrong)
	}
	newHash := sha256.New
	if c.SHA512 {
		newHash = sha512.New
	}
	size := newHash().Size()
	return scheme{
		name:     "hmac",
		read:     func(req *request.Request) (claim, error) { return c.read(req, values, size) },
		parse:    func(text string) (key, error) { return hmacKey(newHash, text) },
		identify: bodyDigest,
	}.layer(keys, opts)
}

func (c HMACConfig) read(req *request.Request, values []value, size int) (claim, error) {
	header := req.Header(c.Signature)
	if header == "" {
		return claim{}, missing(c.Signature)
	}
	text, hasPrefix := strings.CutPrefix(header, c.Prefix)
	mac := decodeHex(text)
	if c.Base64 {
		mac = decodeBase64(base64.StdEncoding, text)
	}
	if !hasPrefix || len(mac) != size {
		return claim{}, malformed(c.Signature, "the signature in the sender's form")
	}
	out := claim{macs: [][]byte{mac}}
	for _, v := range values {
		switch v.name {
		case "timestamp":
			out.sent = req.Header(c.Timestamp)
			if _, ok := parseTime(out.sent); !ok {
				return claim{}, malformed(c.Timestamp, "seconds since 1970 in digits")
			}
			out.prefix += out.sent
		case "id":
			out.id = req.Header(c.ID)
			if !isID(out.id, v.then[:1]) {
				return claim{}, malformed(c.ID, "the id of the delivery")
			}
			out.prefix += out.id
		}
		out.prefix += v.then
	}
	return out, nil
}

// value is a part of the signed content: a value, and the text after it.
type value struct {
	name string // "timestamp", "id" or "" for none
	then string
}

// parse returns what is signed before the body, or what is wrong with c.
func (c HMACConfig) parse() (values []value, wrong string) {
	before, ok := strings.CutSuffix(cmp.Or(c.Content, "{body}"), "{body}")
	for i, part := range strings.Split(before, "{") {
		name, then, closed := strings.Cut(part, "}")
		switch {
		case i == 0:
			name, then, closed = "", part, true
		case name != "timestamp" && name != "id":
			closed = false
		case then == "" || '0' <= then[0] && then[0] <= '9':
			return nil, "a text must follow each value in Content that cannot be part of it"
		}
		if !closed || strings.Contains(then, "}") {
			return nil, "Content may have {timestamp} and {id}, then {body} at its end, and no other braces"
		}
		values = append(values, value{name: name, then: then})
	}
	switch {
	case !ok:
		return nil, "Content must end in {body}"
	case !isHeaderName(c.Signature):
		return nil, "Signature must be the name of a header"
	case !isPlaced(c.Timestamp, "{timestamp}", before) || !isPlaced(c.ID, "{id}", before):
		return nil, "Content must have {timestamp} and {id} once, exactly if Timestamp and ID name a header"
	}
	return values, ""
}

// isPlaced reports whether a value stands in content once if it has a header, and
// not at all if it has none.
func isPlaced(header, name, content string) bool {
	if header == "" {
		return !strings.Contains(content, name)
	}
	return isHeaderName(header) && strings.Count(content, name) == 1
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n:,\"{}")
}
