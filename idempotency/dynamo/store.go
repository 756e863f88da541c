package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Client is the part of a [dynamodb.Client] that a [Store] uses. [Stage] also needs
// TransactWriteItems, which a dynamodb.Client has. GetItem is called only if a
// server does not return the item that made a condition fail.
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
	sortKey      string // "" for a table without one
	partition    string
	compressFrom int
	clock        clock.Clock
}

// New returns a store of a table whose partition key is a string named id, see
// [Names] and [SortKey]. The table's TTL attribute is expiration.
//
// Leave the client's retries on: they handle throttling and lost answers. Set a
// timeout on its HTTP client that is well below the function's. Without a timeout,
// a request to a server that never answers waits until the context ends.
func New(client Client, table string, opts ...Option) *Store {
	if client == nil {
		panic("dynamo: New with a nil Client")
	}
	if table == "" {
		panic("dynamo: New without a table")
	}
	s := &Store{client: client, table: table, compressFrom: 4096}
	Names(Attributes{}).apply(s)
	for _, opt := range opts {
		opt.apply(s)
	}
	for _, name := range s.attr.all() {
		if *name == s.sortKey {
			panic(fmt.Sprintf("dynamo: New with %q as the sort key and as another attribute", s.sortKey))
		}
	}
	return s
}

// Claim implements [idempotency.Store] with one conditional PutItem.
func (s *Store) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	const tries = 3 // the holder may go between a write that fails and the read
	for try := range tries {
		err := retryWhile(ctx, contention, isConflict, func() error {
			e := newExpression()
			_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
				TableName: &s.table, Item: s.item(r),
				ConditionExpression:      aws.String(s.isFree(e, r)),
				ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			})
			return err
		})
		if err == nil {
			return idempotency.Record{}, nil
		}
		item, failed := conditionFailed(err)
		if !failed {
			return idempotency.Record{}, fmt.Errorf("dynamo: claim: %w", err)
		}
		held, found, err := s.holder(ctx, r.Key, item)
		switch {
		case err != nil:
			return idempotency.Record{}, err
		case !found:
			continue
		case held.Status != idempotency.Completed && held.BelongsTo(r):
			return idempotency.Record{}, nil // an earlier try, whose answer was lost
		case r.TakesOver(held) && try < tries-1:
			continue // its lease has ended meanwhile
		default:
			return held, idempotency.ErrHeld
		}
	}
	return idempotency.Record{}, reason.New("dynamo: claim: the key is held, and has no record each time it is read")
}

// Complete implements [idempotency.Store] with one conditional UpdateItem. A
// result that makes an item of more than 400 kB, also when it is compressed, is
// refused with [idempotency.ErrTooLarge] and without a request.
func (s *Store) Complete(ctx context.Context, r idempotency.Record) error {
	e := newExpression()
	update, _, err := s.completion(e, r)
	if err != nil {
		return err
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: s.key(r.Key),
		UpdateExpression: &update, ConditionExpression: aws.String(s.isOurs(e, r)),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	err = retryWhile(ctx, contention, isConflict, func() error {
		_, err := s.client.UpdateItem(ctx, in)
		return err
	})
	if strings.Contains(validationMessage(err), "item size") {
		return fmt.Errorf("%w: dynamo: %w", idempotency.ErrTooLarge, err)
	}
	return settled("complete", err)
}

// completion returns the update that completes an item, and the size in bytes that
// it adds.
func (s *Store) completion(e *expression, r idempotency.Record) (update string, size int, err error) {
	update = "SET " + e.is(s.attr.Status, text(completed)) + ", " + e.is(s.attr.Expiration, number(seconds(r.Expires)))
	if r.NoResult {
		return update + " REMOVE " + e.name(s.attr.Data), 0, nil
	}
	data, encoding, err := s.encode(r)
	if err != nil {
		return "", 0, err
	}
	update += ", " + e.is(s.attr.Data, data)
	if encoding != "" {
		update += ", " + e.is(s.attr.Encoding, text(encoding))
	}
	return update, len(s.attr.Data) + sizeOfValue(data) + len(s.attr.Encoding) + len(encoding), nil
}

// Release implements [idempotency.Store] with one conditional DeleteItem, or
// UpdateItem if the outcome of an earlier attempt is unknown.
func (s *Store) Release(ctx context.Context, r idempotency.Record) error {
	err := s.release(ctx, r)
	if item, failed := conditionFailed(err); failed && s.isReleased(r, item) {
		return nil
	}
	return settled("release", err)
}

// release returns the item that makes its condition fail with the error.
func (s *Store) release(ctx context.Context, r idempotency.Record) error {
	e := newExpression()
	ours := s.isOursInProgress(e, r)
	return retryWhile(ctx, contention, isConflict, func() error {
		if r.Epoch > 1 {
			_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: &s.table, Key: s.key(r.Key),
				UpdateExpression:         aws.String("SET " + e.is(s.attr.Lease, number(0)) + " REMOVE " + e.name(s.attr.Owner)),
				ConditionExpression:      &ours,
				ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			})
			return err
		}
		_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.table, Key: s.key(r.Key),
			ConditionExpression:      aws.String("attribute_not_exists(" + e.name(s.attr.Key) + ") OR (" + ours + ")"),
			ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	})
}

// isReleased reports whether an earlier release of r, whose answer was lost, has
// left the item.
func (s *Store) isReleased(r idempotency.Record, item attributes) bool {
	left, err := s.record(r.Key, item)
	return err == nil && r.Epoch > 1 && left.Status == idempotency.Abandoned && left.Owner == "" && left.Epoch == r.Epoch
}

// holder reads the item that made a condition fail. If the server did not return
// it, holder reads it from the table, where it may be gone.
func (s *Store) holder(ctx context.Context, key string, item attributes) (held idempotency.Record, found bool, err error) {
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

// conditionFailed reports whether the condition of a request failed. It returns the
// item that made it fail, if the server returned it.
func conditionFailed(err error) (item attributes, failed bool) {
	var e *types.ConditionalCheckFailedException
	if !errors.As(err, &e) {
		return nil, false
	}
	return e.Item, true
}

func settled(step string, err error) error {
	if err == nil {
		return nil
	}
	if _, failed := conditionFailed(err); failed {
		return fmt.Errorf("%w: dynamo: %s", idempotency.ErrLost, step)
	}
	return fmt.Errorf("dynamo: %s: %w", step, err)
}

// validationMessage returns why the server finds a request invalid, in lower case,
// or "".
func validationMessage(err error) string {
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
		return ""
	}
	return strings.ToLower(refused.ErrorMessage())
}
