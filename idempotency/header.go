package idempotency

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
)

// aboutHeader tells the sender of a request without a key what one is.
const aboutHeader = "https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header"

const maxKey = 255

// Header takes the key from a header of the HTTP request, like
// Idempotency-Key: a string as in RFC 8941, "…" with \" and \\, or the same
// text bare. Both name the same key. It has 1 to 255 printable ASCII characters;
// a bare one has no comma and no quotation mark in it, as a header that was
// sent twice arrives joined by a comma. Without the header the error is Invalid
// with code idempotency_key_missing and a link to the draft that describes it;
// anything else is idempotency_key_malformed.
func Header(name string) KeyFunc {
	if name == "" {
		panic("idempotency: Header without a name")
	}
	return func(_ context.Context, ev *guard.Event) (string, error) {
		req, err := ev.Request()
		if err != nil {
			return "", err
		}
		if req.HeaderLines(name) == 0 {
			return "", keys.Missing("The header " + name + " is missing. See " + aboutHeader)
		}
		key, ok := parseKey(req.Header(name))
		if !ok || req.HeaderLines(name) > 1 {
			return "", keys.Malformed("The header " + name + " must be one key of 1 to 255 printable characters.")
		}
		return key, nil
	}
}

// parseKey reads the value of a header.
//
// https://www.rfc-editor.org/rfc/rfc8941#section-4.2.5
func parseKey(value string) (key string, ok bool) {
	value = strings.Trim(value, " \t")
	quoted, isQuoted := strings.CutPrefix(value, `"`)
	switch {
	case !isQuoted:
		key, ok = value, !strings.ContainsAny(value, `",`)
	case strings.Contains(quoted, `\`):
		key, ok = unescapeKey(quoted)
	default:
		key, ok = strings.CutSuffix(quoted, `"`)
		ok = ok && !strings.Contains(key, `"`)
	}
	if !ok || key == "" || len(key) > maxKey {
		return "", false
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return "", false
		}
	}
	return key, true
}

// unescapeKey reads a quoted string from behind its first quotation mark.
func unescapeKey(quoted string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch quoted[i] {
		case '"':
			return b.String(), i == len(quoted)-1
		case '\\':
			i++
			if i == len(quoted) || quoted[i] != '"' && quoted[i] != '\\' {
				return "", false
			}
		}
		b.WriteByte(quoted[i])
	}
	return "", false
}
