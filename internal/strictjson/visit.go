package strictjson

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Visit has w read the one value in data, strictly but for opts. A text that is
// not JSON is an [*Error]; an error of w's own is wrapped.
func Visit(data []byte, w json.UnmarshalerFrom, opts ...json.Options) error {
	err := json.Unmarshal(data, w, opts...)
	if syntactic := (*jsontext.SyntacticError)(nil); errors.As(err, &syntactic) {
		return explainSyntax(data, syntactic)
	}
	return err
}

// Members walks over the members of the object that comes next; each has to read
// the value. The name is quoted, and there until the value is read.
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

// Unquote returns what a JSON string stands for, nil for what is none. It may
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
