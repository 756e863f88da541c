package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

type attributes = map[string]types.AttributeValue

// The states in an item.
const (
	inProgress = string(idempotency.InProgress)
	completed  = string(idempotency.Completed)
)

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func number(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}

// seconds and milliseconds round up, so that a record does not end early.
func seconds(t time.Time) int64 { return t.Add(time.Second - time.Nanosecond).Unix() }

func milliseconds(t time.Time) int64 { return t.Add(time.Millisecond - time.Nanosecond).UnixMilli() }

// key returns the primary key of a record.
func (s *Store) key(key string) attributes {
	if s.sortKey == "" {
		return attributes{s.attr.Key: text(key)}
	}
	return attributes{s.attr.Key: text(s.partition), s.sortKey: text(key)}
}

// item returns a record in progress as an item.
func (s *Store) item(r idempotency.Record) attributes {
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

// record reads an item of this library or another. Without an epoch it is the
// first attempt's; without a lease it is in progress until it expires.
func (s *Store) record(key string, item attributes) (r idempotency.Record, err error) {
	epoch, hasEpoch, err1 := numberOf(item, s.attr.Epoch)
	expires, hasExpiry, err2 := numberOf(item, s.attr.Expiration)
	lease, hasLease, err3 := numberOf(item, s.attr.Lease)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return r, err
		}
	}
	r = idempotency.Record{
		Key: key, Owner: stringOf(item[s.attr.Owner]), Epoch: 1, Fingerprint: stringOf(item[s.attr.Fingerprint]),
	}
	if hasEpoch {
		r.Epoch = epoch
	}
	if hasExpiry {
		r.Expires = time.Unix(expires, 0)
	}
	r.Lease = r.Expires
	if hasLease {
		r.Lease = time.UnixMilli(lease)
	}
	switch status := stringOf(item[s.attr.Status]); {
	case status == completed:
		r.Status = idempotency.Completed
		r.Result, r.NoResult, err = s.decode(item)
		return r, err
	case status != inProgress:
		return r, fmt.Errorf("%s is %q", s.attr.Status, status)
	case hasLease && lease < s.clock.Now().UnixMilli():
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

// numberOf reads a number, if there is one. Other libraries may write a whole one
// with a fraction.
func numberOf(item attributes, name string) (n int64, found bool, err error) {
	v, found := item[name]
	if !found {
		return 0, false, nil
	}
	text, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, false, fmt.Errorf("%s: %w", name, errNoNumber)
	}
	if n, err = strconv.ParseInt(text.Value, 10, 64); err == nil {
		return n, true, nil
	}
	f, err := strconv.ParseFloat(text.Value, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%s: %w", name, errNoNumber)
	}
	return int64(f), true, nil
}

var errNoNumber = reason.New("not a number")
