package jws

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// ParsePEM reads public keys in blocks of type PUBLIC KEY (PKIX). Anything else is
// an error. The keys have no kid.
func ParsePEM(data []byte) ([]*Key, error) {
	var keys []*Key
	for data = bytes.TrimSpace(data); len(data) > 0; data = bytes.TrimSpace(data) {
		block, rest := pem.Decode(data)
		read := data[:len(data)-len(rest)]
		// The decoder skips what it cannot read before a block.
		if block == nil || block.Type != "PUBLIC KEY" || bytes.LastIndex(read, []byte("-----BEGIN ")) != 0 {
			return nil, reason.New("there must be blocks of PUBLIC KEY, and nothing else")
		}
		material, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, reason.New("a block is not a public key")
		}
		k, err := newKey(material)
		if err != nil {
			return nil, err
		}
		keys, data = append(keys, k), rest
	}
	if len(keys) == 0 {
		return nil, reason.New("there is no key")
	}
	return keys, nil
}
