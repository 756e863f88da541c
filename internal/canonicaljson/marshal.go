package canonicaljson

import (
	stdjson "encoding/json"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	v1 "github.com/go-json-experiment/json/v1"
)

// Marshal returns the canonical form of the JSON of v. A string that is not UTF-8
// is an error: encoding/json would replace parts of it, so that two values had one
// form.
func Marshal(v any) ([]byte, error) {
	text, err := json.Marshal(v, v1.DefaultOptionsV1(), jsontext.AllowInvalidUTF8(false),
		json.WithMarshalers(json.MarshalFunc(number)))
	if err != nil {
		return nil, fmt.Errorf("canonicaljson: %w", err)
	}
	return Append(nil, text)
}

// number keeps a number that was read as text from becoming a string.
func number(n stdjson.Number) ([]byte, error) {
	if n == "" {
		return []byte("0"), nil
	}
	return []byte(n), nil
}
