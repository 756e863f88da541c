package jws

import (
	"encoding/base64"
	"strings"
)

// An Encoding is how the parts of a token are written.
type Encoding struct{ base64 *base64.Encoding }

// The encodings.
var (
	Unpadded = Encoding{base64.RawURLEncoding.Strict()} // RFC 7515, section 2
	Padded   = Encoding{base64.URLEncoding.Strict()}    // of Application Load Balancers
)

// Decode accepts only the canonical form of a value. It refuses line breaks, which
// base64 decoders skip, even strict ones.
func (e Encoding) Decode(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	data, err := e.base64.DecodeString(text)
	return data, err == nil
}
