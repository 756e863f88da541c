package dynamo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Commit implements [idempotency.Transaction] with one TransactWriteItems. If its
// outcome is unknown, Commit releases the key. Either the fence then stops the
// transaction, or the release finds the key completed.
func (t *transaction) Commit(ctx context.Context, r idempotency.Record) error {
	in, err := t.input(r)
	if errors.Is(err, idempotency.ErrTooLarge) {
		return err
	}
	if err == nil {
		err = t.write(ctx, in)
	}
	if err == nil {
		return nil
	}
	var completion types.CancellationReason // why the completion could not be written
	if reasons := reasonsOf(err); len(reasons) > len(t.items) {
		completion = reasons[len(t.items)]
	}
	switch {
	case !r.NoResult && isTooLarge(err, completion):
		return fmt.Errorf("%w: dynamo: %w", idempotency.ErrTooLarge, err)
	case aws.ToString(completion.Code) == codeCondition && len(completion.Item) > 0:
		return t.store.isCommitted(ctx, r, completion.Item)
	}
	switch e := t.store.withdraw(ctx, r); {
	case errors.Is(e, errWithdrawn) && aws.ToString(completion.Code) == codeCondition: // there was no record
		return fmt.Errorf("%w: dynamo: commit", idempotency.ErrLost)
	case errors.Is(e, errWithdrawn):
		return fmt.Errorf("%w: %w", idempotency.ErrNotCommitted, t.reason(err))
	case e == nil || errors.Is(e, idempotency.ErrLost):
		return e
	default:
		return fmt.Errorf("dynamo: commit: %w; release: %w", err, e)
	}
}

// input returns the transaction: what was staged, then the completion.
func (t *transaction) input(r idempotency.Record) (*dynamodb.TransactWriteItemsInput, error) {
	e := newExpression()
	update, size, err := t.store.completion(e, r)
	if err != nil {
		return nil, err
	}
	if t.size+size > maxTransaction {
		return nil, fmt.Errorf("%w: dynamo: a transaction of more than %d bytes", idempotency.ErrTooLarge, maxTransaction)
	}
	items := make([]types.TransactWriteItem, 0, len(t.items)+1)
	for i := range t.items {
		items = append(items, t.items[i].item)
	}
	items = append(items, types.TransactWriteItem{Update: &types.Update{
		TableName: &t.store.table, Key: t.store.key(r.Key),
		UpdateExpression: &update, ConditionExpression: aws.String(t.store.isOursInProgress(e, r)),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}})
	// For ten minutes the server treats requests with the same token as one.
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %t", r.Key, r.Owner, r.Epoch, r.NoResult))
	token := base64.RawURLEncoding.EncodeToString(sum[:])[:36] // the longest there is
	return &dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: &token}, nil
}

// write sends the transaction, and again while DynamoDB is busy. It leaves time for
// a release.
func (t *transaction) write(ctx context.Context, in *dynamodb.TransactWriteItemsInput) error {
	limit := 10 * time.Second
	if end, ok := ctx.Deadline(); ok {
		limit = time.Until(end) / 3 * 2
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := t.store.client.(writer) // or nothing would have been staged
	return retryWhile(ctx, limit, isBusy, func() error {
		_, err := client.TransactWriteItems(ctx, in)
		return err
	})
}

// isTooLarge reports whether the server refused the transaction or its completion
// for its size.
func isTooLarge(err error, completion types.CancellationReason) bool {
	return strings.Contains(validationMessage(err), "aggregate size") ||
		aws.ToString(completion.Code) == codeInvalid &&
			strings.Contains(strings.ToLower(aws.ToString(completion.Message)), "item size")
}

// reason returns the error for the caller of a commit that was withdrawn.
func (t *transaction) reason(err error) error {
	if e := t.canceled(err); e != nil {
		return e
	}
	err = fmt.Errorf("dynamo: commit: %w", err)
	if isRefusal(err) {
		return err
	}
	return &guard.Error{
		Kind: guard.Unavailable, Code: "idempotency_not_committed",
		Detail: "The request could not be carried out now.", Err: err,
	}
}

var errWithdrawn = reason.New("dynamo: withdrawn")

// withdraw releases the key of a commit that may be under way. It returns
// errWithdrawn if the commit can no longer take place, nil if it has, and ErrLost
// if another attempt has the key.
func (s *Store) withdraw(ctx context.Context, r idempotency.Record) error {
	err := s.release(ctx, r)
	item, failed := conditionFailed(err)
	switch {
	case err == nil, failed && s.isReleased(r, item):
		return errWithdrawn
	case failed:
		return s.isCommitted(ctx, r, item)
	default:
		return err
	}
}

// isCommitted returns nil if the record that holds the key is r's own and completed,
// also if it has expired since, and ErrLost otherwise.
func (s *Store) isCommitted(ctx context.Context, r idempotency.Record, item attributes) error {
	held, _, err := s.holder(ctx, r.Key, item)
	switch {
	case err != nil:
		return err
	case held.Status == idempotency.Completed && held.BelongsTo(r):
		return nil
	default:
		return fmt.Errorf("%w: dynamo: commit", idempotency.ErrLost)
	}
}
