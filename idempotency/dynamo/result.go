package dynamo

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

const (
	// maxItem is the size of the largest item, in bytes.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	maxItem = 400 << 10
	// maxResult limits the size of a decompressed result. An answer of Lambda has 6
	// MiB at most.
	maxResult = 32 << 20

	gzipped = "gzip"
)

// encode returns a result as it is stored. Text stays text, so that people and
// other libraries can read it.
func (s *Store) encode(r idempotency.Record) (data types.AttributeValue, encoding string, err error) {
	if len(r.Result) > maxResult {
		return nil, "", idempotency.ErrTooLarge
	}
	stored := r.Result
	if len(stored) >= s.compressFrom && len(stored) > 0 {
		packed, err := pack(stored)
		if err != nil {
			return nil, "", fmt.Errorf("dynamo: compress: %w", err)
		}
		if len(packed) < len(stored) {
			stored, encoding = packed, gzipped
		}
	}
	others := sizeOf(s.item(r)) + len(s.attr.Data) + len(s.attr.Encoding) + len(gzipped)
	if others+len(stored) > maxItem {
		return nil, "", fmt.Errorf("%w: dynamo: an item of more than %d bytes", idempotency.ErrTooLarge, maxItem)
	}
	if encoding == "" && utf8.Valid(stored) {
		return text(string(stored)), "", nil
	}
	return &types.AttributeValueMemberB{Value: stored}, encoding, nil
}

// decode returns the result of a completed item, or reports that there is none.
func (s *Store) decode(item attributes) (result []byte, none bool, err error) {
	switch data := item[s.attr.Data].(type) {
	case nil:
		return nil, true, nil
	case *types.AttributeValueMemberS:
		return []byte(data.Value), false, nil
	case *types.AttributeValueMemberB:
		switch encoding := stringOf(item[s.attr.Encoding]); encoding {
		case "":
			return data.Value, false, nil
		case gzipped:
			if result, err = unpack(data.Value); err != nil {
				err = fmt.Errorf("decompress: %w", err)
			}
			return result, false, err
		default:
			return nil, false, fmt.Errorf("%s is %q", s.attr.Encoding, encoding)
		}
	default:
		return nil, false, fmt.Errorf("%s is a %T", s.attr.Data, data)
	}
}

func pack(result []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(result); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	result, err := io.ReadAll(io.LimitReader(r, maxResult+1))
	if err == nil && len(result) > maxResult {
		err = fmt.Errorf("more than %d bytes", maxResult)
	}
	return result, err
}
