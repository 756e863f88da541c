package strictjson

import (
	"bytes"
	"encoding/json"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Tree decodes the one value in data into map[string]any, []any, string, bool,
// nil and [json.Number], which keeps a number as it was written.
func Tree(data []byte) (any, error) {
	t := new(tree)
	err := v2.Unmarshal(data, t, jsontext.AllowDuplicateNames(true))
	switch {
	case t.twice != nil:
		return nil, t.twice
	case err != nil:
		return nil, explain(data, err)
	default:
		return t.root, nil
	}
}

type tree struct {
	root  any
	twice *Error // the first name that an object has twice
}

// UnmarshalJSONFrom builds the tree of the next value.
func (t *tree) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	t.root, err = t.value(dec)
	return err
}

func (t *tree) value(dec *jsontext.Decoder) (any, error) {
	switch dec.PeekKind() {
	case jsontext.KindBeginObject:
		return t.object(dec)
	case jsontext.KindBeginArray:
		return t.array(dec)
	case jsontext.KindString:
		return t.string(dec)
	case jsontext.KindNumber:
		number, err := dec.ReadValue()
		return json.Number(number), err
	default:
		token, err := dec.ReadToken()
		if err != nil || token.Kind() == jsontext.KindNull {
			return nil, err
		}
		return token.Bool(), nil
	}
}

// string reads a string, or fails on another value.
func (t *tree) string(dec *jsontext.Decoder) (string, error) {
	quoted, err := dec.ReadValue()
	if err != nil || bytes.IndexByte(quoted, '\\') >= 0 {
		return string(Unquote(quoted)), err
	}
	return string(quoted[1 : len(quoted)-1]), nil
}

func (t *tree) object(dec *jsontext.Decoder) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := t.string(dec)
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			t.twice = &Error{Code: DuplicateName, Pointer: here(dec), Reason: duplicateReason}
			return nil, t.twice
		}
		if object[name], err = t.value(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.ReadToken()
	return object, err
}

func (t *tree) array(dec *jsontext.Decoder) (any, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	array := make([]any, 0, 4)
	for dec.PeekKind() != jsontext.KindEndArray {
		element, err := t.value(dec)
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	_, err := dec.ReadToken()
	return array, err
}
