package logging

import (
	"bytes"
	stdjson "encoding/json"
	"log/slog"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// redacted replaces a hidden value.
const redacted = "[redacted]"

// redactor hides values by the name of their attribute, also in groups, structs
// and maps.
type redactor struct {
	names    map[string]bool // normalized
	encoding json.Options
}

// alwaysRedacted are the names of credentials.
func alwaysRedacted() []string {
	return []string{
		"password", "passwd", "passphrase", "secret", "client secret", "private key", "credentials",
		"token", "access token", "refresh token", "id token", "session token", "authorization token",
		"authorization", "proxy authorization", "cookie", "set cookie", "api key", "x api key",
		"secret access key", "aws secret access key", "aws session token", "x amz security token",
	}
}

func newRedactor() *redactor {
	r := &redactor{names: map[string]bool{}, encoding: likeSlog()}
	r.add(alwaysRedacted())
	return r
}

func (r *redactor) add(names []string) {
	for _, name := range names {
		var room [maxRedactedName]byte
		key := normalize(room[:0], name)
		if len(key) == 0 {
			panic("logging: Redact of the attribute name " + name)
		}
		r.names[string(key)] = true
	}
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

// hides reports whether a name is hidden: the whole, or what follows its last
// dot, as in http.request.header.authorization.
func (r *redactor) hides(name string) bool {
	var room [maxRedactedName]byte
	if r.names[string(normalize(room[:0], name))] {
		return true
	}
	dot := strings.LastIndexByte(name, '.')
	return dot >= 0 && r.names[string(normalize(room[:0], name[dot+1:]))]
}

// attr returns a without hidden values. The result is a copy that cannot change, so
// that it can be buffered.
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

// value encodes v as slog's JSON handler does, without the values of hidden
// members. A value that panics has the text that slog writes for it.
func (r *redactor) value(v any) (shown slog.Value) {
	defer func() {
		if recover() != nil {
			shown = slog.StringValue("!PANIC")
		}
	}()
	switch v := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case stdjson.Marshaler: // before error, as in slog
	case error:
		return slog.StringValue(v.Error())
	}
	text, err := json.Marshal(v, r.encoding)
	if err != nil {
		return slog.StringValue("!ERROR:" + err.Error())
	}
	switch text[0] {
	case '{', '[':
		text = r.text(text)
	case '"':
		var s string
		if stdjson.Unmarshal(text, &s) == nil {
			return slog.StringValue(s)
		}
	}
	return slog.AnyValue(stdjson.RawMessage(text))
}

// likeSlog encodes as encoding/json does for slog. It also uses the LogValue of
// what is inside structs, maps and slices, which slog does not.
func likeSlog() json.Options {
	return json.JoinOptions(v1.DefaultOptionsV1(), jsontext.EscapeForHTML(false),
		json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, v slog.LogValuer) error {
			return encodeLogValue(enc, slog.AnyValue(v))
		})))
}

func encodeLogValue(enc *jsontext.Encoder, v slog.Value) error {
	v = v.Resolve()
	if v.Kind() != slog.KindGroup {
		return json.MarshalEncode(enc, v.Any())
	}
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, a := range v.Group() {
		if err := enc.WriteToken(jsontext.String(a.Key)); err != nil {
			return err
		}
		if err := encodeLogValue(enc, a.Value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// text returns a valid JSON text without the values of hidden members.
func (r *redactor) text(in []byte) []byte {
	lax := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	dec := jsontext.NewDecoder(bytes.NewReader(in), lax...)
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out, append(lax, jsontext.PreserveRawStrings(true))...)
	hidden := false
	for {
		within, index := dec.StackIndex(dec.StackDepth())
		switch dec.PeekKind() {
		case jsontext.KindInvalid: // the end, as the text is valid
			if !hidden {
				return in
			}
			return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
		case jsontext.KindBeginObject, jsontext.KindBeginArray, jsontext.KindEndObject, jsontext.KindEndArray:
			token, err := dec.ReadToken()
			if err != nil || enc.WriteToken(token) != nil {
				return in
			}
			continue
		}
		value, err := dec.ReadValue()
		if err != nil || enc.WriteValue(value) != nil {
			return in
		}
		if isName := within == jsontext.KindBeginObject && index%2 == 0; isName && r.hidesQuoted(value) {
			hidden = true
			if dec.SkipValue() != nil || enc.WriteToken(jsontext.String(redacted)) != nil {
				return in
			}
		}
	}
}

func (r *redactor) hidesQuoted(name []byte) bool {
	plain, err := jsontext.AppendUnquote(nil, name)
	return err != nil || r.hides(string(plain))
}
