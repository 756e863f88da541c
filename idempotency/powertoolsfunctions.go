package idempotency

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// powertoolsFunctions are what Powertools adds to JMESPath. An error tells what
// is wrong with the text.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/jmespath_functions/
var powertoolsFunctions = map[string]func(string) (any, error){
	"powertools_json": func(text string) (any, error) { return strictjson.Tree([]byte(text)) },
	"powertools_base64": func(text string) (any, error) {
		return decodedText(base64.StdEncoding.DecodeString(text))
	},
	"powertools_base64_gzip": func(text string) (any, error) {
		packed, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errNotBase64
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, errNotGzip
		}
		const most = 10 << 20 // 1 KiB can be a MiB
		unpacked, err := io.ReadAll(io.LimitReader(r, most+1))
		switch {
		case err != nil:
			return nil, errNotGzip
		case len(unpacked) > most:
			return nil, errors.New("decompresses to more than 10 MiB")
		}
		return decodedText(unpacked, nil)
	},
}

var (
	errNotBase64 = errors.New("is not base64")
	errNotGzip   = errors.New("is not gzip")
)

func decodedText(decoded []byte, err error) (any, error) {
	switch {
	case err != nil:
		return nil, errNotBase64
	case !utf8.Valid(decoded):
		return nil, errors.New("is not UTF-8")
	default:
		return string(decoded), nil
	}
}
