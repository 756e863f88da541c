package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Tree decodes the one value in data into map[string]any, []any, string, bool,
// nil and [json.Number], which keeps a number as it was written. The strings
// share the memory of one copy of data.
func Tree(data []byte) (any, error) {
	t := &treeReader{dec: jsontext.NewDecoder(bytes.NewBuffer(data)), text: string(data)}
	v, err := t.value()
	if err == nil {
		if _, err = t.dec.ReadToken(); errors.Is(err, io.EOF) {
			return v, nil
		}
		if err == nil {
			offset := t.dec.InputOffset()
			return nil, &Error{Code: TrailingData, Offset: offset, Reason: fmt.Sprintf("data follows the JSON value, at byte %d", offset)}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil, &Error{Code: Malformed, Reason: "there is no JSON value"}
	}
	return nil, explain(data, err)
}

type treeReader struct {
	dec  *jsontext.Decoder
	text string // what dec reads
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
	array := []any{}
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
