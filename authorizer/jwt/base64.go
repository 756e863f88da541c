package jwt

import (
	"bytes"
	"encoding/base64"
)

// An encoding is how the parts of a token are written.
type encoding struct{ *base64.Encoding }

var (
	// unpadded is base64url of RFC 7515, section 2.
	unpadded = encoding{base64.RawURLEncoding.Strict()}
	// padded is what an Application Load Balancer makes of it.
	padded = encoding{base64.URLEncoding.Strict()}
)

// appendDecoded decodes text, which has one form only: no other character, no
// line breaks, no bits that are left over, and padding exactly where the
// encoding has it.
func (e encoding) appendDecoded(dst, text []byte) ([]byte, bool) {
	// The decoder passes over line breaks, also where it is strict.
	if bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return nil, false
	}
	out, err := e.AppendDecode(dst, text)
	return out, err == nil
}
