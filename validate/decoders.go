package validate

import (
	"errors"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/packedtext"
)

// decoders are the functions that [At] adds to JMESPath.
var decoders = map[string]func(string) (any, error){
	"powertools_json": func(text string) (any, error) {
		tree, err := treeOf([]byte(text))
		if err == nil && tree == nil { // a projection would leave it out
			return nil, guard.Errorf(guard.Invalid, "nothing_selected", "The event has null where a value is to be validated.")
		}
		return tree, err
	},
	"powertools_base64":      func(text string) (any, error) { return unpacked(packedtext.Base64(text)) },
	"powertools_base64_gzip": func(text string) (any, error) { return unpacked(packedtext.Gzip(text)) },
}

// unpacked gives the sender an error that says what is wrong with a text.
func unpacked(text string, err error) (any, error) {
	switch {
	case errors.Is(err, packedtext.ErrNotBase64):
		return nil, guard.Errorf(guard.Invalid, "malformed_base64", "The event has a text that is not base64 where it should be.")
	case errors.Is(err, packedtext.ErrNotGzip):
		return nil, guard.Errorf(guard.Invalid, "malformed_gzip", "The event has a text that is not gzip where it should be.")
	case errors.Is(err, packedtext.ErrNotUTF8):
		return nil, guard.Errorf(guard.Invalid, "invalid_utf8", "The event has a text that is not UTF-8 where it should be.")
	case errors.Is(err, packedtext.ErrTooLarge):
		return nil, guard.Errorf(guard.TooLarge, "text_too_large", "The event has a text that decompresses to more than %d bytes.", packedtext.MaxGzip)
	}
	return text, err
}
