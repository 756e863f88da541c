package canonicaljson

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// Marshal gives the canonical form of what encoding/json makes of v, except
// that a string which is not UTF-8 is an error and not changed into another.
func Marshal(v any) ([]byte, error) {
	text, err := stdjson.Marshal(v)
	if err == nil && replaced(text) {
		text, err = marshalStrictly(v)
	}
	if err != nil {
		return nil, fmt.Errorf("canonicaljson: %w", err)
	}
	out, err := Append(make([]byte, 0, 2*len(text)), text) // members are sorted behind it
	if err != nil {
		return nil, err
	}
	return out, nil
}

// replaced reports whether encoding/json may have put U+FFFD in the place of
// what is not UTF-8.
func replaced(text []byte) bool {
	return bytes.Contains(text, []byte(`\ufffd`)) || bytes.Contains(text, []byte("\ufffd"))
}

// marshalStrictly does what encoding/json does, more slowly, and refuses what is
// not UTF-8.
func marshalStrictly(v any) ([]byte, error) {
	return json.Marshal(v, v1.DefaultOptionsV1(), jsontext.AllowInvalidUTF8(false),
		json.WithMarshalers(json.MarshalFunc(number)))
}

// number keeps a number that was read as text from becoming a string.
func number(n stdjson.Number) ([]byte, error) {
	if n == "" {
		return []byte("0"), nil
	}
	return []byte(n), nil
}
