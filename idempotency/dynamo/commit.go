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

// Commit implements [idempotency.Transaction] with one TransactWriteItems. If
// that is not answered with a success, it is withdrawn: the key is released,
// which by the fence stops what may still be on its way, or is found to be
// completed. So the outcome is known as soon as the server answers either.
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
	reason := t.completionReason(err)
	fenced := aws.ToString(reason.Code) == codeCondition
	switch {
	case !r.NoResult && (isOfTotalSize(err) || isOfItemSizeReason(reason)):
		return fmt.Errorf("%w: dynamo: %w", idempotency.ErrTooLarge, err)
	case fenced && len(reason.Item) > 0:
		return t.store.held(ctx, r, reason.Item)
	}
	switch e := t.store.withdraw(ctx, r); {
	case errors.Is(e, errWithdrawn) && fenced: // there was no record
		return fmt.Errorf("%w: dynamo: commit", idempotency.ErrLost)
	case errors.Is(e, errWithdrawn):
		return fmt.Errorf("%w: %w", idempotency.ErrNotCommitted, t.reason(err))
	case e == nil || errors.Is(e, idempotency.ErrLost):
		return e
	default:
		return fmt.Errorf("dynamo: commit: %w; withdraw it: %w", err, e)
	}
}

// input is the transaction: what was staged, then the completion, which takes
// place once whatever becomes of the request's token.
func (t *transaction) input(r idempotency.Record) (*dynamodb.TransactWriteItemsInput, error) {
	in, size, err := t.store.completion(r)
	if err != nil {
		return nil, err
	}
	if t.size+size > maxTransaction {
		return nil, fmt.Errorf("%w: dynamo: a transaction of more than %d bytes", idempotency.ErrTooLarge, maxTransaction)
	}
	e := expression{names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues}
	fence := *in.ConditionExpression + " AND " + e.name(t.store.attr.Status) + " = " + e.text(inProgress)
	items := make([]types.TransactWriteItem, 0, len(t.items)+1)
	for i := range t.items {
		items = append(items, t.items[i].item)
	}
	items = append(items, types.TransactWriteItem{Update: &types.Update{
		TableName: in.TableName, Key: in.Key,
		UpdateExpression: in.UpdateExpression, ConditionExpression: &fence,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}})
	return &dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: aws.String(tokenOf(r))}, nil
}

// tokenOf is the client request token of an attempt's commit, for which the
// server takes equal requests within ten minutes for one.
func tokenOf(r idempotency.Record) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %t", r.Key, r.Owner, r.Epoch, r.NoResult))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:36] // of at most 36 characters
}

// write sends the transaction for as long as others are in its way, and leaves
// time for what follows if it is not answered.
func (t *transaction) write(ctx context.Context, in *dynamodb.TransactWriteItemsInput) error {
	limit := 10 * time.Second
	if end, ok := ctx.Deadline(); ok {
		limit = time.Until(end) / 3 * 2
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := t.store.client.(writer) // or nothing would have been staged
	return insist(ctx, limit, passes, func() error {
		_, err := client.TransactWriteItems(ctx, in)
		return err
	})
}

// completionReason is why the completion was in the way, zero where it was not.
func (t *transaction) completionReason(err error) types.CancellationReason {
	if reasons := reasonsOf(err); len(reasons) > len(t.items) {
		return reasons[len(t.items)]
	}
	return types.CancellationReason{}
}

func isOfItemSizeReason(reason types.CancellationReason) bool {
	return aws.ToString(reason.Code) == codeInvalid && isOfItemSize(strings.ToLower(aws.ToString(reason.Message)))
}

// reason is what the operation's caller is told of a commit that was withdrawn.
func (t *transaction) reason(err error) error {
	if e := t.canceled(err); e != nil {
		return t.explained(e)
	}
	if isRefusal(err) {
		return fmt.Errorf("dynamo: commit: %w", err)
	}
	return &guard.Error{
		Kind: guard.Unavailable, Code: "idempotency_not_committed",
		Detail: "The request could not be carried out now.",
		Err:    fmt.Errorf("dynamo: commit: %w", err),
	}
}

var errWithdrawn = reason.New("dynamo: withdrawn")

// withdraw releases the key from a commit that may be under way: what arrives
// later fails at the fence. The error is errWithdrawn then, nil where the commit
// has taken place, and ErrLost where another attempt has the key.
func (s *Store) withdraw(ctx context.Context, r idempotency.Record) error {
	err := s.release(ctx, r)
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return errWithdrawn
	case errors.As(err, &failed) && s.isReleased(r, failed.Item): // by an earlier try, whose answer was lost
		return errWithdrawn
	case errors.As(err, &failed):
		return s.held(ctx, r, failed.Item)
	default:
		return err
	}
}

// held tells from the record that holds the key whether r has been committed:
// it has if the record is r's own, completed, also if it has expired since.
func (s *Store) held(ctx context.Context, r idempotency.Record, item attributes) error {
	held, _, err := s.holder(ctx, r.Key, item)
	switch {
	case err != nil:
		return err
	case held.Status == idempotency.Completed && held.Owner == r.Owner && held.Epoch == r.Epoch:
		return nil
	default:
		return fmt.Errorf("%w: dynamo: commit", idempotency.ErrLost)
	}
}
