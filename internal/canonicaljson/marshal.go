package canonicaljson

import (
	"bytes"
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
	text, err := stdjson.Marshal(v)
	if err == nil && mayBeReplaced(text) {
		_, err = json.Marshal(v, v1.DefaultOptionsV1(), jsontext.AllowInvalidUTF8(false))
	}
	if err != nil {
		return nil, fmt.Errorf("canonicaljson: %w", err)
	}
	return Append(make([]byte, 0, len(text)), text)
}

// mayBeReplaced reports whether a text has U+FFFD, which encoding/json writes for
// what is not UTF-8.
func mayBeReplaced(text []byte) bool {
	return bytes.Contains(text, []byte(`\ufffd`)) || bytes.Contains(text, []byte("\ufffd"))
}
