package pythonjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrUnsupported is matched by the error for a value that cannot be written. That is a
// number beyond the range of a float, a malformed [json.Number], a string that is not
// UTF-8, or a Go type that [Append] does not name.
var ErrUnsupported = errors.New("pythonjson: not a value with a text in Python's JSON")

// Append appends the text of v to dst. V is nil, a bool, a string, a [json.Number], or a
// []any or map[string]any of these. If there is an error it returns dst.
//
// Members are sorted by the code points of their names. Everything but printable ASCII
// is escaped. A number without fraction and exponent is an integer of any size; others
// are floats.
func Append(dst []byte, v any) ([]byte, error) {
	out, err := appendValue(dst, v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func appendValue(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		if v {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case string:
		return appendString(dst, v)
	case json.Number:
		return appendNumber(dst, string(v))
	case []any:
		return appendArray(dst, v)
	case map[string]any:
		return appendObject(dst, v)
	default:
		return dst, fmt.Errorf("%w: a %T", ErrUnsupported, v)
	}
}

func appendArray(dst []byte, array []any) ([]byte, error) {
	dst = append(dst, '[')
	for i, element := range array {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = appendValue(dst, element); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, object map[string]any) ([]byte, error) {
	dst = append(dst, '{')
	// The bytes of UTF-8 sort as the code points do.
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		var err error
		if dst, err = appendString(dst, name); err != nil {
			return dst, err
		}
		dst = append(dst, ": "...)
		if dst, err = appendValue(dst, object[name]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
