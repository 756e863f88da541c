package strictjson

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Visit has v read the one value in data, strictly but for opts. The error is an
// [*Error] for a text that is not JSON, and wraps any error of v's own.
func Visit(data []byte, v json.UnmarshalerFrom, opts ...json.Options) error {
	return explainSyntax(data, json.Unmarshal(data, v, opts...))
}

// Members walks over the members of the object that comes next. each has to read
// the value. The name is quoted, and valid until the value is read.
func Members(dec *jsontext.Decoder, each func(name jsontext.Value) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// Unquote returns the text of a JSON string, nil for any other value. It may
// share the string's memory.
func Unquote(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, value)
	return text
}
