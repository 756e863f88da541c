package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// The states as they stand in an item.
const (
	inProgress = string(idempotency.InProgress)
	completed  = string(idempotency.Completed)
)

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func number(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}

// seconds and milliseconds round up: a record counts no shorter than it says.
func seconds(t time.Time) int64 {
	return t.Add(time.Second - time.Nanosecond).Unix()
}

func milliseconds(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

func (s *Store) key(key string) map[string]types.AttributeValue {
	if s.sortKey == "" {
		return map[string]types.AttributeValue{s.attr.Key: text(key)}
	}
	return map[string]types.AttributeValue{s.attr.Key: text(s.partition), s.sortKey: text(key)}
}

// item is a record in progress.
func (s *Store) item(r idempotency.Record) map[string]types.AttributeValue {
	item := s.key(r.Key)
	item[s.attr.Status] = text(inProgress)
	item[s.attr.Expiration] = number(seconds(r.Expires))
	item[s.attr.Lease] = number(milliseconds(r.Lease))
	item[s.attr.Owner] = text(r.Owner)
	item[s.attr.Epoch] = number(r.Epoch)
	if r.Fingerprint != "" {
		item[s.attr.Fingerprint] = text(r.Fingerprint)
	}
	return item
}

// record reads an item, of this library or another. One without owner has
// epoch 1, one without a lease is in progress until it expires.
func (s *Store) record(key string, item map[string]types.AttributeValue) (idempotency.Record, error) {
	r := idempotency.Record{
		Key:         key,
		Owner:       stringOf(item[s.attr.Owner]),
		Epoch:       1,
		Fingerprint: stringOf(item[s.attr.Fingerprint]),
	}
	if epoch, ok, err := numberOf(item[s.attr.Epoch]); err != nil {
		return r, fmt.Errorf("%s: %w", s.attr.Epoch, err)
	} else if ok {
		r.Epoch = epoch
	}
	if at, ok, err := numberOf(item[s.attr.Expiration]); err != nil {
		return r, fmt.Errorf("%s: %w", s.attr.Expiration, err)
	} else if ok {
		r.Expires = time.Unix(at, 0)
	}
	lease, leased, err := numberOf(item[s.attr.Lease])
	if err != nil {
		return r, fmt.Errorf("%s: %w", s.attr.Lease, err)
	}
	r.Lease = r.Expires
	if leased {
		r.Lease = time.UnixMilli(lease)
	}
	switch status := stringOf(item[s.attr.Status]); {
	case status == completed:
		r.Status = idempotency.Completed
		r.Result, r.NoResult, err = s.decode(item)
		return r, err
	case status != inProgress:
		return r, fmt.Errorf("%s is %q", s.attr.Status, status)
	case leased && lease < s.clock.Now().UnixMilli():
		r.Status = idempotency.Abandoned
	default:
		r.Status = idempotency.InProgress
	}
	return r, nil
}

func stringOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// numberOf reads a number that is there. Other libraries may write a whole one
// with a fraction.
func numberOf(v types.AttributeValue) (n int64, ok bool, err error) {
	if v == nil {
		return 0, false, nil
	}
	text, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, false, reason.New("not a number")
	}
	if n, err = strconv.ParseInt(text.Value, 10, 64); err == nil {
		return n, true, nil
	}
	f, err := strconv.ParseFloat(text.Value, 64)
	if err != nil {
		return 0, false, reason.New("not a number")
	}
	return int64(f), true, nil
}
