package webhook

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net/textproto"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// HMACConfig describes how a sender signs that follows no standard. For Slack:
//
//	webhook.HMACConfig{
//		Signature: "X-Slack-Signature", Prefix: "v0=",
//		Timestamp: "X-Slack-Request-Timestamp",
//		Content:   "v0:{timestamp}:{body}",
//	}
type HMACConfig struct {
	// Signature is the header that the signature is in.
	Signature string
	// Prefix stands before the signature in it, like "sha256=".
	Prefix string
	// Base64 says that the signature is in base64; otherwise it is hexadecimal.
	Base64 bool
	// SHA512 says that the hash is SHA-512; otherwise it is SHA-256.
	SHA512 bool
	// Timestamp is the header with the time of signing, in Unix seconds; "" when
	// there is none.
	Timestamp string
	// ID is the header with the delivery's id; "" when there is none.
	ID string
	// Content is what is signed, "{body}" when empty. It ends in {body} and has
	// {timestamp} and {id} in it if, and only if, their headers are named: what
	// is not signed is not to be trusted. Between two of them stands something
	// that neither can contain.
	Content string
}

// HMAC lets requests through that are signed with an HMAC in a way of their
// sender's own. A key is used as it is written. Refusals are those of
// [Standard]. It panics when c contradicts itself.
func HMAC(c HMACConfig, keys Keys, opts ...Option) guard.Middleware {
	content, wrong := parseContent(c)
	if wrong != "" {
		panic("webhook: HMAC: " + wrong)
	}
	if len(opts) > 0 && c.Timestamp == "" {
		panic("webhook: HMAC: a tolerance without a timestamp")
	}
	newHash, size := sha256.New, sha256.Size
	if c.SHA512 {
		newHash, size = sha512.New, sha512.Size
	}
	s := scheme{name: "hmac", identify: bodyDigest}
	s.read = func(req *request.Request) (claim, error) { return c.read(req, content, size) }
	s.parse = func(text string) (key, error) { return parseTextFor(newHash, text) }
	return require(s, keys, opts)
}

func parseTextFor(newHash func() hash.Hash, text string) (key, error) {
	k, err := parseText(text)
	k.hash = newHash
	return k, err
}

func (c HMACConfig) read(req *request.Request, content []piece, size int) (claim, error) {
	value := req.Header(c.Signature)
	if value == "" {
		return claim{}, missing(c.Signature)
	}
	text, ok := strings.CutPrefix(value, c.Prefix)
	mac, decoded := c.decode(text)
	if !ok || !decoded || len(mac) != size {
		return claim{}, malformed(c.Signature, "the signature in the sender's form")
	}
	out := claim{signatures: signatures{macs: [][]byte{mac}}}
	var prefix strings.Builder
	for _, p := range content {
		switch p.what {
		case timestamp:
			out.sent = req.Header(c.Timestamp)
			if _, ok := parseTime(out.sent); !ok {
				return claim{}, malformed(c.Timestamp, "seconds since 1970 in digits")
			}
			prefix.WriteString(out.sent)
		case id:
			out.id = req.Header(c.ID)
			if !validID(out.id, p.end[:1]) {
				return claim{}, malformed(c.ID, "the id of the delivery")
			}
			prefix.WriteString(out.id)
		}
		prefix.WriteString(p.end)
	}
	out.prefix = prefix.String()
	return out, nil
}

func (c HMACConfig) decode(text string) ([]byte, bool) {
	if c.Base64 {
		return decodeBase64(text)
	}
	raw, err := hex.DecodeString(text)
	return raw, err == nil
}

// piece is a part of the signed content: a value, and the text behind it.
type piece struct {
	what part
	end  string
}

type part uint8

const (
	nothing part = iota
	timestamp
	id
)

// parseContent gives what is signed before the body, or what is wrong with it.
func parseContent(c HMACConfig) (content []piece, wrong string) {
	if c.Content == "" {
		c.Content = "{body}"
	}
	before, ok := strings.CutSuffix(c.Content, "{body}")
	switch {
	case !isHeaderName(c.Signature):
		return nil, "Signature is not the name of a header"
	case !ok || strings.Contains(before, "{body}"):
		return nil, "Content does not have {body} once, at its end"
	case strings.Count(before, "{timestamp}") != named(c.Timestamp):
		return nil, "Content has {timestamp} once exactly if Timestamp names a header"
	case strings.Count(before, "{id}") != named(c.ID):
		return nil, "Content has {id} once exactly if ID names a header"
	case c.Timestamp != "" && !isHeaderName(c.Timestamp), c.ID != "" && !isHeaderName(c.ID):
		return nil, "Timestamp or ID is not the name of a header"
	}
	content = []piece{{}}
	for before != "" {
		last := &content[len(content)-1]
		if rest, ok := strings.CutPrefix(before, "{timestamp}"); ok {
			content, before = append(content, piece{what: timestamp}), rest
		} else if rest, ok := strings.CutPrefix(before, "{id}"); ok {
			content, before = append(content, piece{what: id}), rest
		} else {
			last.end, before = last.end+before[:1], before[1:]
		}
	}
	for _, p := range content {
		if strings.ContainsAny(p.end, "{}") {
			return nil, "Content has braces that are not of {timestamp}, {id} or {body}"
		}
		if p.what != nothing && (p.end == "" || strings.Trim(p.end[:1], "0123456789") == "") {
			return nil, "Content has a value whose end cannot be told"
		}
	}
	return content, ""
}

func named(header string) int {
	if header == "" {
		return 0
	}
	return 1
}

func isHeaderName(name string) bool {
	return name != "" && textproto.TrimString(name) == name && !strings.ContainsAny(name, " \t\r\n:,\"{}")
}
