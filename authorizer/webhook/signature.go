package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// claim is what a request says about itself, not verified yet.
type claim struct {
	id      string   // "" if the scheme has none
	sent    string   // Unix seconds; "" if the scheme has none
	prefix  string   // what is signed before the body
	macs    [][]byte // several while the sender changes keys
	ed25519 [][]byte
}

// maxSignatures bounds the work that a request can cause.
const maxSignatures = 8

func (c *claim) signatures() int { return len(c.macs) + len(c.ed25519) }

// key is a signing key, or the public half of one.
type key struct {
	hash   func() hash.Hash // of an HMAC
	secret []byte
	public ed25519.PublicKey
}

// signed reports whether one of the signatures is of this key, over prefix and
// body.
func (k key) signed(c claim, body []byte) bool {
	if k.public != nil {
		content := append([]byte(c.prefix), body...)
		for _, signature := range c.ed25519 {
			if ed25519.Verify(k.public, content, signature) {
				return true
			}
		}
		return false
	}
	mac := hmac.New(k.hash, k.secret)
	mac.Write([]byte(c.prefix))
	mac.Write(body)
	want, found := mac.Sum(nil), false
	for _, got := range c.macs {
		found = hmac.Equal(got, want) || found
	}
	return found
}

// hmacKey uses a key as it is written.
func hmacKey(newHash func() hash.Hash, text string) (key, error) {
	if text == "" {
		return key{}, reason.New("it is empty")
	}
	return key{hash: newHash, secret: []byte(text)}, nil
}

// oneLine refuses a key with a line break, which a file or a console has added: no
// signature would match.
func oneLine(text string) (key, error) {
	if strings.ContainsAny(text, "\r\n") {
		return key{}, reason.New("it has a line break: remove it")
	}
	return hmacKey(sha256.New, text)
}

// parseTime reads Unix seconds. Only digits are accepted, so that there is one way
// to read what was signed.
func parseTime(seconds string) (time.Time, bool) {
	if len(seconds) > len("99999999999") || strings.Trim(seconds, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0), err == nil
}

const maxID = 255

// isID reports whether an id is printable, without a comma, which joins a header
// sent twice, and without the text that ends the id in the signed content.
func isID(id, end string) bool {
	unusual := func(r rune) bool { return r <= ' ' || r > '~' || r == ',' }
	return id != "" && len(id) <= maxID && !strings.Contains(id, end) && !strings.ContainsFunc(id, unusual)
}

// decodeHex returns nil if text is malformed.
func decodeHex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}

// decodeBase64 returns nil if text is malformed. It accepts one form for each value:
// no line breaks, and no bits left over.
func decodeBase64(e *base64.Encoding, text string) []byte {
	raw, err := e.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil
	}
	return raw
}
