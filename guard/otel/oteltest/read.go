package oteltest

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// encoding is the media type of a body.
type encoding string

const (
	asProtobuf encoding = "application/x-protobuf"
	asJSON     encoding = "application/json"
)

// longest is the size of a body, also after it is decompressed.
const longest = 64 << 20

// read returns the body of a request, decompressed. A status other than 0 is the
// answer to one that cannot be read.
func read(w http.ResponseWriter, r *http.Request) (body []byte, enc encoding, status int) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	enc = encoding(mediaType)
	if enc != asProtobuf && enc != asJSON {
		return nil, "", http.StatusUnsupportedMediaType
	}
	reader := io.Reader(http.MaxBytesReader(w, r.Body, longest))
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return nil, "", http.StatusBadRequest
		}
		reader = unzipped
	default:
		return nil, "", http.StatusUnsupportedMediaType
	}
	body, err := io.ReadAll(io.LimitReader(reader, longest+1))
	switch {
	case err != nil:
		return nil, "", http.StatusBadRequest
	case len(body) > longest:
		return nil, "", http.StatusRequestEntityTooLarge
	}
	return body, enc, 0
}

// decode reads a request of OTLP. In JSON the ids are hexadecimal and not base64,
// as in other JSON of protobuf: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
// id decodes them.
func decode(body []byte, enc encoding, m proto.Message) error {
	if enc == asJSON {
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, m)
	}
	return proto.Unmarshal(body, m)
}

// id returns an id of n bytes in hexadecimal digits, "" where there is none.
func id(b []byte, n int, enc encoding) (string, error) {
	if len(b) == 0 {
		return "", nil
	}
	if enc == asJSON { // the digits were taken for base64
		digits := base64.StdEncoding.EncodeToString(b)
		decoded, err := hex.DecodeString(digits)
		if err != nil {
			return "", fmt.Errorf("oteltest: an id that is not hexadecimal")
		}
		b = decoded
	}
	if len(b) != n {
		return "", fmt.Errorf("oteltest: an id of %d bytes, which should have %d", len(b), n)
	}
	return hex.EncodeToString(b), nil
}
