package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"hash"
)

// key is a signing key, or the public half of one.
type key struct {
	hash   func() hash.Hash // of an HMAC
	secret []byte
	public ed25519.PublicKey
}

// signatures are what a request says it was signed with: several while its
// sender changes keys.
type signatures struct {
	macs    [][]byte
	ed25519 [][]byte
}

// maxSignatures bounds the work that a request can ask for.
const maxSignatures = 8

func (s signatures) count() int { return len(s.macs) + len(s.ed25519) }

// signed reports whether one of the signatures is of prefix and body and of
// this key. How long it takes tells nothing of the key.
func (k key) signed(s signatures, prefix string, body []byte) bool {
	if k.public != nil {
		return k.signedPublicly(s, prefix, body)
	}
	if len(s.macs) == 0 {
		return false
	}
	mac := hmac.New(k.hash, k.secret)
	_, _ = mac.Write([]byte(prefix))
	_, _ = mac.Write(body)
	want := mac.Sum(nil)
	found := false
	for _, got := range s.macs {
		if hmac.Equal(got, want) {
			found = true
		}
	}
	return found
}

func (k key) signedPublicly(s signatures, prefix string, body []byte) bool {
	if len(s.ed25519) == 0 {
		return false
	}
	content := append([]byte(prefix), body...)
	for _, got := range s.ed25519 {
		if ed25519.Verify(k.public, content, got) {
			return true
		}
	}
	return false
}
