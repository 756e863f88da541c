package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Client is what a [Store] needs of a [dynamodb.Client]. GetItem is called only
// where a server does not return the item that made a condition fail. For
// [Stage] it has to have TransactWriteItems besides, as a dynamodb.Client has.
type Client interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Store keeps records in a DynamoDB table. Make it with [New].
type Store struct {
	client       Client
	table        string
	attr         Attributes
	sortKey      string // "" where there is none
	partition    string
	compressFrom int
	clock        clock.Clock
	gzips        sync.Pool // of *gzip.Writer
}

// New makes a store of a table whose partition key is a string named id, see
// [Names] and [SortKey]. The table's TTL attribute is expiration. The client's
// own retries are what gets over throttling and lost answers: leave them on. A
// server that accepts a request and never answers is waited for until ctx ends,
// unless the client's HTTP client has a timeout of its own, which should be well
// below the function's.
func New(client Client, table string, opts ...Option) *Store {
	if client == nil {
		panic("dynamo: a nil Client")
	}
	if table == "" {
		panic("dynamo: New without a table")
	}
	s := &Store{client: client, table: table, compressFrom: 4096}
	Names(Attributes{})(s)
	for _, opt := range opts {
		opt(s)
	}
	for _, name := range s.attr.all() {
		if *name == s.sortKey {
			panic(fmt.Sprintf("dynamo: New with %q as the sort key and as another attribute", s.sortKey))
		}
	}
	return s
}

// contention is for how long a claim or release is tried while a transaction is
// on its key, which is there for as long as another attempt commits.
const contention = 2 * time.Second

// Claim implements [idempotency.Store] with one conditional PutItem.
func (s *Store) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	const tries = 3 // the holder may go between a write that fails and the read
	for try := range tries {
		err := insist(ctx, contention, conflicts, func() error {
			_, err := s.client.PutItem(ctx, s.claim(r))
			return err
		})
		if err == nil {
			return idempotency.Record{}, nil
		}
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			return idempotency.Record{}, fmt.Errorf("dynamo: claim: %w", err)
		}
		held, there, err := s.holder(ctx, r.Key, failed.Item)
		switch {
		case err != nil:
			return idempotency.Record{}, err
		case !there:
			continue
		case held.Status != idempotency.Completed && held.Owner == r.Owner && held.Epoch == r.Epoch:
			return idempotency.Record{}, nil // our own claim, whose answer was lost
		case held.Status == idempotency.Abandoned && held.Epoch+1 == r.Epoch && sameRequest(held, r) && try < tries-1:
			continue // its lease has ended meanwhile, and the key is ours to take
		default:
			return held, idempotency.ErrHeld
		}
	}
	return idempotency.Record{}, reason.New("dynamo: claim: the key is held, and never there when it is read")
}

// sameRequest reports whether two claims may be of one request. A claim without
// a fingerprint may be of any.
func sameRequest(a, b idempotency.Record) bool {
	return a.Fingerprint == b.Fingerprint || a.Fingerprint == "" || b.Fingerprint == ""
}

func (s *Store) claim(r idempotency.Record) *dynamodb.PutItemInput {
	now := s.clock.Now()
	e := s.expression()
	free := "attribute_not_exists(" + e.name(s.attr.Key) + ") OR " + e.name(s.attr.Expiration) + " < " + e.number(now.Unix())
	if before := r.Epoch - 1; before > 0 {
		epoch := e.name(s.attr.Epoch) + " = " + e.number(before)
		if before == 1 { // or another library's
			epoch = "(" + epoch + " OR attribute_not_exists(" + e.name(s.attr.Epoch) + "))"
		}
		request := ""
		if r.Fingerprint != "" {
			fingerprint := e.name(s.attr.Fingerprint)
			request = " AND (" + fingerprint + " = " + e.text(r.Fingerprint) + " OR attribute_not_exists(" + fingerprint + "))"
		}
		free += " OR (" + e.name(s.attr.Status) + " = " + e.text(inProgress) +
			" AND " + e.name(s.attr.Lease) + " < " + e.number(now.UnixMilli()) + " AND " + epoch + request + ")"
	}
	return &dynamodb.PutItemInput{
		TableName:                           &s.table,
		Item:                                s.item(r),
		ConditionExpression:                 &free,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// holder reads the item that made a claim fail. Where the server has not
// returned it, it is read from the table, where it may be gone meanwhile.
func (s *Store) holder(ctx context.Context, key string, item map[string]types.AttributeValue) (held idempotency.Record, there bool, err error) {
	if len(item) == 0 {
		out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &s.table, Key: s.key(key), ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			return held, false, fmt.Errorf("dynamo: read the holder of a key: %w", err)
		}
		item = out.Item
	}
	if len(item) == 0 {
		return held, false, nil
	}
	held, err = s.record(key, item)
	if err != nil {
		return held, false, fmt.Errorf("dynamo: item %s: %w", key, err)
	}
	expired := !held.Expires.IsZero() && held.Expires.Unix() < s.clock.Now().Unix()
	return held, !expired, nil
}

// Complete implements [idempotency.Store] with one conditional UpdateItem. A
// result that makes an item of more than 400 kB also when it is compressed is
// [idempotency.ErrTooLarge], without a request.
func (s *Store) Complete(ctx context.Context, r idempotency.Record) error {
	in, _, err := s.completion(r)
	if err != nil {
		return err
	}
	err = insist(ctx, contention, conflicts, func() error {
		_, err := s.client.UpdateItem(ctx, in)
		return err
	})
	if tooLarge(err) {
		return fmt.Errorf("%w: dynamo: %w", idempotency.ErrTooLarge, err)
	}
	return settled("complete", err)
}

// completion also gives the size in bytes of what it adds to an item.
func (s *Store) completion(r idempotency.Record) (in *dynamodb.UpdateItemInput, size int, err error) {
	e := s.expression()
	set := "SET " + e.name(s.attr.Status) + " = " + e.text(completed) +
		", " + e.name(s.attr.Expiration) + " = " + e.number(seconds(r.Expires))
	remove := " REMOVE " + e.name(s.attr.Encoding)
	if r.NoResult {
		remove += ", " + e.name(s.attr.Data)
	} else {
		data, encoding, err := s.encode(r)
		if err != nil {
			return nil, 0, err
		}
		size = len(s.attr.Data) + sizeOfValue(data)
		set += ", " + e.name(s.attr.Data) + " = " + e.value(data)
		if encoding != "" {
			set += ", " + e.name(s.attr.Encoding) + " = " + e.text(encoding)
			size += len(s.attr.Encoding) + len(encoding)
			remove = ""
		}
	}
	condition := s.ours(e, r)
	return &dynamodb.UpdateItemInput{
		TableName:                 &s.table,
		Key:                       s.key(r.Key),
		UpdateExpression:          aws.String(set + remove),
		ConditionExpression:       &condition,
		ExpressionAttributeNames:  e.names,
		ExpressionAttributeValues: e.values,
	}, size, nil
}

// ours is the fence: the attempt that holds the key is the one that settles it.
func (s *Store) ours(e *expression, r idempotency.Record) string {
	return e.name(s.attr.Owner) + " = " + e.text(r.Owner) + " AND " + e.name(s.attr.Epoch) + " = " + e.number(r.Epoch)
}

// Release implements [idempotency.Store] with one conditional DeleteItem, or
// UpdateItem where an attempt before is unknown.
func (s *Store) Release(ctx context.Context, r idempotency.Record) error {
	err := s.release(ctx, r)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) && s.isReleased(r, failed.Item) { // by an earlier try, whose answer was lost
		return nil
	}
	return settled("release", err)
}

// isReleased reports whether an item is what the release of r leaves behind.
func (s *Store) isReleased(r idempotency.Record, item attributes) bool {
	left, err := s.record(r.Key, item)
	return err == nil && r.Epoch > 1 && left.Status == idempotency.Abandoned && left.Owner == "" && left.Epoch == r.Epoch
}

// release asks for the item that makes its condition fail.
func (s *Store) release(ctx context.Context, r idempotency.Record) error {
	e := s.expression()
	ours := s.ours(e, r) + " AND " + e.name(s.attr.Status) + " = " + e.text(inProgress)
	if r.Epoch > 1 {
		in := &dynamodb.UpdateItemInput{
			TableName:                           &s.table,
			Key:                                 s.key(r.Key),
			UpdateExpression:                    aws.String("SET " + e.name(s.attr.Lease) + " = " + e.number(0) + " REMOVE " + e.name(s.attr.Owner)),
			ConditionExpression:                 &ours,
			ExpressionAttributeNames:            e.names,
			ExpressionAttributeValues:           e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		return insist(ctx, contention, conflicts, func() error {
			_, err := s.client.UpdateItem(ctx, in)
			return err
		})
	}
	in := &dynamodb.DeleteItemInput{
		TableName:                           &s.table,
		Key:                                 s.key(r.Key),
		ConditionExpression:                 aws.String("attribute_not_exists(" + e.name(s.attr.Key) + ") OR (" + ours + ")"),
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	return insist(ctx, contention, conflicts, func() error {
		_, err := s.client.DeleteItem(ctx, in)
		return err
	})
}

func settled(step string, err error) error {
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		return fmt.Errorf("%w: dynamo: %s", idempotency.ErrLost, step)
	default:
		return fmt.Errorf("dynamo: %s: %w", step, err)
	}
}

// tooLarge reports whether the server has refused an item for its size.
func tooLarge(err error) bool { return isOfItemSize(invalid(err)) }

// isOfTotalSize reports whether the server has refused a transaction for its
// size.
func isOfTotalSize(err error) bool { return strings.Contains(invalid(err), "aggregate size") }

func isOfItemSize(message string) bool { return strings.Contains(message, "item size") }

// invalid is what the server says of a request that it finds invalid, in lower
// case.
func invalid(err error) string {
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
		return ""
	}
	return strings.ToLower(refused.ErrorMessage())
}
