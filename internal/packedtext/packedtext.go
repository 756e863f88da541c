// Package packedtext reads texts that are packed into others, as the functions
// powertools_base64 and powertools_base64_gzip of JMESPath expressions do.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/jmespath_functions/
package packedtext

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"
)

// MaxGzip bounds what a compressed text unpacks to, in bytes: 1 KiB can be a
// MiB.
const MaxGzip = 10 << 20

// What is wrong with a text. None of them repeats any of it.
var (
	ErrNotBase64 = errors.New("is not base64")
	ErrNotGzip   = errors.New("is not gzip")
	ErrNotUTF8   = errors.New("is not UTF-8")
	ErrTooLarge  = errors.New("decompresses to more than 10 MiB")
)

// Base64 reads a text in base64.
func Base64(text string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", ErrNotBase64
	}
	return utf8Text(decoded)
}

// Gzip reads a text that is compressed, in base64.
func Gzip(text string) (string, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", ErrNotBase64
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", ErrNotGzip
	}
	unpacked, err := io.ReadAll(io.LimitReader(r, MaxGzip+1))
	switch {
	case err != nil:
		return "", ErrNotGzip
	case len(unpacked) > MaxGzip:
		return "", ErrTooLarge
	default:
		return utf8Text(unpacked)
	}
}

func utf8Text(text []byte) (string, error) {
	if !utf8.Valid(text) {
		return "", ErrNotUTF8
	}
	return string(text), nil
}
