package jmes

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard"
)

// MaxGzip limits what the compressed texts of an event unpack to in all, in
// bytes: 1 KiB can become 1 MiB.
const MaxGzip = 10 << 20

// decoders are the functions that Powertools adds to JMESPath. Their errors
// are of type [*guard.Error].
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/jmespath_functions/
var decoders = map[string]func(*search, string) (any, error){
	"powertools_json": func(_ *search, text string) (any, error) {
		return guard.EventOf(context.Background(), []byte(text)).Tree()
	},
	"powertools_base64":      decodeBase64,
	"powertools_base64_gzip": (*search).decodeGzip,
}

// Decodes reports whether a function decodes a text.
func Decodes(function string) bool {
	_, ok := decoders[function]
	return ok
}

func decodeBase64(_ *search, text string) (any, error) {
	decoded, err := unbase64(text)
	if err != nil {
		return nil, err
	}
	return utf8Text(decoded)
}

func (s *search) decodeGzip(text string) (any, error) {
	packed, err := unbase64(text)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errGzip()
	}
	unpacked, err := io.ReadAll(io.LimitReader(r, MaxGzip-s.unpacked+1))
	if err != nil {
		return nil, errGzip()
	}
	if s.unpacked += int64(len(unpacked)); s.unpacked > MaxGzip {
		return nil, guard.Errorf(guard.TooLarge, "text_too_large", "The event has texts that decompress to more than %d bytes.", MaxGzip)
	}
	return utf8Text(unpacked)
}

func unbase64(text string) ([]byte, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, guard.Errorf(guard.Invalid, "malformed_base64", "The event has a text that should be base64 and is not.")
	}
	return decoded, nil
}

func errGzip() error {
	return guard.Errorf(guard.Invalid, "malformed_gzip", "The event has a text that should be gzip and is not.")
}

func utf8Text(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, guard.Errorf(guard.Invalid, "invalid_utf8", "The event has a text that should be UTF-8 and is not.")
	}
	return string(text), nil
}
