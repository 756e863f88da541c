package strictjson

import (
	"bytes"
	"encoding/json"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Tree decodes the one value in data into map[string]any, []any, string, bool,
// nil and [json.Number], which keeps a number as it was written. The strings
// share the memory of one copy of data.
func Tree(data []byte) (any, error) {
	t := new(treeReader)
	if len(data) <= shareUpTo {
		t.text = string(data)
	}
	how, err := unique(data)
	if err != nil {
		return nil, err
	}
	// By way of Unmarshal the decoder is one that has been used before.
	if err := v2.Unmarshal(data, t, how); err != nil {
		return nil, explain(data, err, &root{})
	}
	return t.tree, nil
}

// shareUpTo is the length of a text, in bytes, up to which a copy of it costs
// less than one of each string in it.
const shareUpTo = 64 << 10

type treeReader struct {
	text string // what dec reads, or "" when that is long
	dec  *jsontext.Decoder
	tree any
}

// UnmarshalJSONFrom builds the tree of the next value.
func (t *treeReader) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	t.dec = dec
	t.tree, err = t.value()
	return err
}

func (t *treeReader) value() (any, error) {
	switch t.dec.PeekKind() {
	case jsontext.KindBeginObject:
		return t.object()
	case jsontext.KindBeginArray:
		return t.array()
	case jsontext.KindString:
		return t.string()
	case jsontext.KindNumber:
		number, err := t.dec.ReadValue()
		return json.Number(t.shared(number)), err
	default:
		tok, err := t.dec.ReadToken()
		if err != nil || tok.Kind() == jsontext.KindNull {
			return nil, err
		}
		return tok.Bool(), nil
	}
}

func (t *treeReader) object() (any, error) {
	if _, err := t.dec.ReadToken(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for t.dec.PeekKind() != jsontext.KindEndObject {
		name, err := t.string()
		if err != nil {
			return nil, err
		}
		if object[name], err = t.value(); err != nil {
			return nil, err
		}
	}
	_, err := t.dec.ReadToken()
	return object, err
}

func (t *treeReader) array() (any, error) {
	if _, err := t.dec.ReadToken(); err != nil {
		return nil, err
	}
	array := make([]any, 0, 4)
	for t.dec.PeekKind() != jsontext.KindEndArray {
		element, err := t.value()
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	_, err := t.dec.ReadToken()
	return array, err
}

// string reads a string, or what stands in its place.
func (t *treeReader) string() (string, error) {
	quoted, err := t.dec.ReadValue()
	if err != nil || len(quoted) < 2 || bytes.IndexByte(quoted, '\\') >= 0 {
		plain, _ := jsontext.AppendUnquote(nil, quoted)
		return string(plain), err
	}
	text := t.shared(quoted)
	return text[1 : len(text)-1], nil
}

// shared gives the value that has just been read as a string.
func (t *treeReader) shared(value []byte) string {
	if t.text == "" {
		return string(value)
	}
	end := t.dec.InputOffset()
	return t.text[end-int64(len(value)) : end]
}
