package validate

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

// maxGzip bounds what powertools_base64_gzip makes of a text: 1 KiB can be a
// MiB.
const maxGzip = 10 << 20

// decoders are the functions that [At] adds to JMESPath.
var decoders = map[string]func(string) (any, error){
	"powertools_json": func(text string) (any, error) {
		tree, err := treeOf([]byte(text))
		if err == nil && tree == nil { // a projection would leave it out
			return nil, guard.Errorf(guard.Invalid, "nothing_selected", "The event has null where a value is to be validated.")
		}
		return tree, err
	},
	"powertools_base64": func(text string) (any, error) {
		return textIn(base64.StdEncoding.DecodeString(text))
	},
	"powertools_base64_gzip": func(text string) (any, error) {
		packed, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return textIn(nil, err)
		}
		return gunzip(packed)
	},
}

func textIn(decoded []byte, err error) (any, error) {
	if err != nil {
		return nil, guard.Errorf(guard.Invalid, "malformed_base64", "The event has a text that is not base64 where it should be.")
	}
	if !utf8.Valid(decoded) {
		return nil, guard.Errorf(guard.Invalid, "invalid_utf8", "The event has a text that is not UTF-8 where it should be.")
	}
	return string(decoded), nil
}

func gunzip(packed []byte) (any, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(r, maxGzip+1))
	}
	if err != nil {
		return nil, guard.Errorf(guard.Invalid, "malformed_gzip", "The event has a text that is not gzip where it should be.")
	}
	if len(text) > maxGzip {
		return nil, guard.Errorf(guard.TooLarge, "text_too_large", "The event has a text that decompresses to more than %d bytes.", maxGzip)
	}
	return textIn(text, nil)
}
