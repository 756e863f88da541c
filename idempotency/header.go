package idempotency

import (
	"context"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
)

const (
	headerDraft  = "https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header"
	maxHeaderKey = 255
)

// Header takes the key from a header of the HTTP request, usually
// Idempotency-Key. The value is a quoted string as in RFC 8941, or the same text
// without quotes; both name the same key. The key has 1 to 255 printable ASCII
// characters. Without quotes it has no comma and no quotation mark, since a
// header that was sent twice arrives joined by a comma.
//
// If the header is missing, the error is Invalid with code
// idempotency_key_missing and links to the IETF draft. If it is not one key, the
// code is idempotency_key_malformed.
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
			return "", keys.Missing("The header " + name + " is missing. See " + headerDraft)
		}
		key, ok := parseKey(req.Header(name))
		if !ok || req.HeaderLines(name) > 1 {
			return "", keys.Malformed("The header " + name + " must be one key of 1 to 255 printable characters.")
		}
		return key, nil
	}
}

func parseKey(value string) (key string, ok bool) {
	key = strings.Trim(value, " \t")
	if quoted, isQuoted := strings.CutPrefix(key, `"`); isQuoted {
		key, ok = unquote(quoted)
	} else {
		ok = !strings.ContainsAny(key, `",`)
	}
	unprintable := strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if !ok || key == "" || len(key) > maxHeaderKey || unprintable {
		return "", false
	}
	return key, true
}

// unquote reads a quoted string from behind its first quotation mark.
//
// https://www.rfc-editor.org/rfc/rfc8941#section-4.2.5
func unquote(quoted string) (string, bool) {
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
