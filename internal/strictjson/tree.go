package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Tree decodes the one value in data into map[string]any, []any, string, bool,
// nil and [json.Number], which keeps a number as it was written.
func Tree(data []byte) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	v, err := branch(dec)
	if err == nil {
		if _, err = dec.ReadToken(); errors.Is(err, io.EOF) {
			return v, nil
		}
		if err == nil {
			return nil, &Error{Code: TrailingData, Offset: dec.InputOffset(), Reason: fmt.Sprintf("data follows the JSON value, at byte %d", dec.InputOffset())}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil, &Error{Code: Malformed, Reason: "there is no JSON value"}
	}
	return nil, explain(data, err)
}

func branch(dec *jsontext.Decoder) (any, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case jsontext.KindBeginObject:
		object := map[string]any{}
		for dec.PeekKind() != jsontext.KindEndObject {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if object[key], err = branch(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err
	case jsontext.KindBeginArray:
		array := []any{}
		for dec.PeekKind() != jsontext.KindEndArray {
			element, err := branch(dec)
			if err != nil {
				return nil, err
			}
			array = append(array, element)
		}
		_, err := dec.ReadToken()
		return array, err
	case jsontext.KindString:
		return tok.String(), nil
	case jsontext.KindNumber:
		return json.Number(tok.String()), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return tok.Bool(), nil
	default:
		return nil, nil // null
	}
}
