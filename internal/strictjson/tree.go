package strictjson

import (
	"encoding/json"
	"strings"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Tree decodes the one value in data into map[string]any, []any, string, bool,
// nil and [json.Number], which keeps a number as it was written. The strings
// share the memory of one copy of data.
func Tree(data []byte) (any, error) {
	t := &treeReader{text: string(data)}
	// By way of Unmarshal the decoder is one that has been used before.
	if err := v2.Unmarshal(data, t); err != nil {
		return nil, explain(data, err)
	}
	return t.tree, nil
}

type treeReader struct {
	text string // what dec reads
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
		number, err := t.raw()
		return json.Number(number), err
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
	quoted, err := t.raw()
	if err != nil || len(quoted) < 2 || strings.IndexByte(quoted, '\\') >= 0 {
		plain, _ := jsontext.AppendUnquote(nil, quoted)
		return string(plain), err
	}
	return quoted[1 : len(quoted)-1], nil
}

// raw reads a scalar as it is written.
func (t *treeReader) raw() (string, error) {
	value, err := t.dec.ReadValue()
	end := t.dec.InputOffset()
	return t.text[end-int64(len(value)) : end], err
}
