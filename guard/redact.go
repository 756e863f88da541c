package guard

import (
	"bytes"
	"encoding/json"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"
)

// redacted stands where a value was.
const redacted = "[redacted]"

// redactor hides values by the name of their attribute, wherever it stands: in
// a group, in a member of a struct or map.
type redactor struct {
	names map[string]bool // normalized
}

// alwaysRedacted are names that carry credentials whatever the function does.
func alwaysRedacted() []string {
	return []string{
		"password", "passwd", "passphrase", "secret", "client secret", "private key", "credentials",
		"token", "access token", "refresh token", "id token", "session token", "authorization token",
		"authorization", "proxy authorization", "cookie", "set cookie", "api key", "x api key",
	}
}

func newRedactor(names []string) *redactor {
	r := &redactor{names: map[string]bool{}}
	for _, name := range names {
		var room [maxRedactedName]byte
		key := normalize(room[:0], name)
		if len(key) == 0 {
			panic("guard: Redact of the attribute name " + name)
		}
		r.names[string(key)] = true
	}
	return r
}

// maxRedactedName bounds the names that are looked at, in letters and digits.
const maxRedactedName = 64

// normalize appends name without case, dashes, underscores and spaces, so that
// api_key, apiKey and Api-Key are one. It appends nothing when name is too long.
func normalize(to []byte, name string) []byte {
	start := len(to)
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '-' || c == '_' || c == ' ':
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if len(to)-start == maxRedactedName {
			return to[:start]
		}
		to = append(to, c)
	}
	return to
}

func (r *redactor) hides(name string) bool {
	var room [maxRedactedName]byte
	return r.names[string(normalize(room[:0], name))]
}

// attr gives what may be shown of a. Nothing in it can change any more, so it
// can be kept.
func (r *redactor) attr(a slog.Attr) slog.Attr {
	if r.hides(a.Key) {
		return slog.String(a.Key, redacted)
	}
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindGroup:
		a.Value = slog.GroupValue(r.attrs(a.Value.Group())...)
	case slog.KindAny:
		a.Value = r.value(a.Value.Any())
	}
	return a
}

func (r *redactor) attrs(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = r.attr(a)
	}
	return out
}

// value encodes v as slog's JSON handler does, without the members that are
// hidden.
func (r *redactor) value(v any) slog.Value {
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case json.Marshaler: // before error, as in slog
	case error:
		return slog.StringValue(v.Error())
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return slog.StringValue("!ERROR:" + err.Error())
	}
	text := bytes.TrimSuffix(buf.Bytes(), []byte{'\n'})
	switch text[0] {
	case '{', '[':
		text = r.text(text)
	case '"':
		var s string
		if json.Unmarshal(text, &s) == nil {
			return slog.StringValue(s)
		}
	}
	return slog.AnyValue(json.RawMessage(text))
}

// text copies a JSON text token by token, but for the values to hide.
func (r *redactor) text(in []byte) []byte {
	var out bytes.Buffer
	allow := jsontext.AllowDuplicateNames(true)
	dec := jsontext.NewDecoder(bytes.NewBuffer(in), allow, jsontext.AllowInvalidUTF8(true))
	enc := jsontext.NewEncoder(&out, allow, jsontext.AllowInvalidUTF8(true))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			break // the end: the text is one that encoding/json wrote
		}
		kind, n := dec.StackIndex(dec.StackDepth())
		isName := tok.Kind() == jsontext.KindString && kind == jsontext.KindBeginObject && n%2 == 1
		hide := isName && r.hides(tok.String())
		if err := enc.WriteToken(tok); err != nil {
			return []byte(`"` + redacted + `"`)
		}
		if !hide {
			continue
		}
		if dec.SkipValue() != nil || enc.WriteToken(jsontext.String(redacted)) != nil {
			return []byte(`"` + redacted + `"`)
		}
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}
