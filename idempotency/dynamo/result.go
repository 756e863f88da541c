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
	// maxResult bounds what an item is unpacked to. An answer of Lambda has
	// 6 MiB at most.
	maxResult = 32 << 20

	gzipped = "gzip"
)

// encode gives a result its form in an item. Text stays text, so that it can be
// read in the console and by others.
func (s *Store) encode(r idempotency.Record) (data types.AttributeValue, encoding string, err error) {
	if len(r.Result) > maxResult {
		return nil, "", idempotency.ErrTooLarge
	}
	size := len(r.Result)
	if size >= s.compressFrom && size > 0 {
		packed, err := s.pack(r.Result)
		if err != nil {
			return nil, "", err
		}
		if len(packed) < size {
			data, encoding, size = &types.AttributeValueMemberB{Value: packed}, gzipped, len(packed)
		}
	}
	if s.sizeWithout(r)+size > maxItem {
		return nil, "", fmt.Errorf("%w: dynamo: an item of more than %d bytes", idempotency.ErrTooLarge, maxItem)
	}
	switch {
	case data != nil:
		return data, encoding, nil
	case utf8.Valid(r.Result):
		return text(string(r.Result)), "", nil
	default:
		return &types.AttributeValueMemberB{Value: r.Result}, "", nil
	}
}

// sizeWithout is how much an item has beside its result, in bytes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (s *Store) sizeWithout(r idempotency.Record) int {
	const numbers = 3 * 21 // a number has 21 bytes at most
	size := numbers + len(s.sortKey) + len(s.partition) + len(r.Key) + len(completed) +
		len(gzipped) + len(r.Fingerprint) + len(r.Owner)
	for _, name := range s.attr.all() {
		size += len(*name)
	}
	return size
}

// decode gives the result of a completed item.
func (s *Store) decode(item map[string]types.AttributeValue) (result []byte, none bool, err error) {
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
			result, err = unpack(data.Value)
			return result, false, err
		default:
			return nil, false, fmt.Errorf("%s is %q", s.attr.Encoding, encoding)
		}
	default:
		return nil, false, fmt.Errorf("%s is a %T", s.attr.Data, data)
	}
}

func (s *Store) pack(result []byte) ([]byte, error) {
	var out bytes.Buffer
	w, ok := s.gzips.Get().(*gzip.Writer)
	if !ok {
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for a level that there is not
	}
	defer s.gzips.Put(w)
	w.Reset(&out)
	if _, err := w.Write(result); err != nil {
		return nil, fmt.Errorf("dynamo: compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("dynamo: compress: %w", err)
	}
	return out.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	result, err := io.ReadAll(io.LimitReader(r, maxResult+1))
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	if len(result) > maxResult {
		return nil, fmt.Errorf("decompress: more than %d bytes", maxResult)
	}
	return result, nil
}
