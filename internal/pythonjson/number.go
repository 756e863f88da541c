package pythonjson

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// appendNumber appends a JSON number as Python writes it after reading it.
func appendNumber(dst []byte, text string) ([]byte, error) {
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') || !json.Valid([]byte(text)) {
		return dst, fmt.Errorf("%w: a number that is not JSON's", ErrUnsupported)
	}
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" { // an integer has no negative zero
			text = "0"
		}
		return append(dst, text...), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return dst, fmt.Errorf("%w: a number beyond the range of a float", ErrUnsupported)
	}
	return appendFloat(dst, f), nil
}

// appendFloat appends the shortest digits that read as f. Python writes an exponent
// below 1e-4 and from 1e16 on, and otherwise always a fraction.
//
// https://docs.python.org/3/library/functions.html#repr
func appendFloat(dst []byte, f float64) []byte {
	if size := math.Abs(f); size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !strings.Contains(string(dst[start:]), ".") {
		dst = append(dst, ".0"...)
	}
	return dst
}
