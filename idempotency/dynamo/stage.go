package dynamo

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Stage adds items to the transaction that completes the key of the innermost
// [idempotency.Once] or [idempotency.Do] around ctx, whose store must be a [Store].
// It sends no request. Do not change the items until the operation is over. Stage
// may be called repeatedly and concurrently.
//
// The items are written if the handler returns an answer that is stored, with any
// status. Nothing is written if the handler returns an error, also one whose
// answer is stored, or an answer that is a failure and releases the key. A success
// that is not stored, such as a partial failure of an SQS batch, becomes an
// error.
//
// If an item cannot be written, for example because its condition fails, nothing is
// written. The error of the operation then wraps a [CanceledError] and
// [idempotency.ErrNotCommitted], and the key is free for a retry. Inside Once the
// handler has returned by then; use [StageOr] to set the error.
//
// Stage returns an error, and stages none of the items, if
//   - there is no operation, it has ended, or its store is another one,
//   - the transaction would have more than 99 items, or more than 4 MB including
//     the completion of the key,
//   - an item has more than 400 kB,
//   - two operations are on one item, or one is on the item of the key.
//
// An error that only DynamoDB or its client can find, such as the size of an
// updated item, fails the commit with kind Internal.
func Stage(ctx context.Context, items ...types.TransactWriteItem) error {
	return StageOr(ctx, nil, items...)
}

// StageOr is [Stage] with a function that sets the error if one of these items
// cannot be written:
//
//	err := dynamo.StageOr(ctx, func(failed *dynamo.CanceledError) error {
//		return &guard.Error{Kind: guard.Conflict, Code: "sold_out", Err: failed}
//	}, items...)
//
// After the handler has returned, the function of the first item that failed is
// called once. If it returns nil, the error is the CanceledError. The key is
// released in any case.
func StageOr(ctx context.Context, explain func(*CanceledError) error, items ...types.TransactWriteItem) error {
	of, inside := idempotency.TransactionOf(ctx)
	t, ours := of.(*transaction)
	switch {
	case !inside:
		return reason.New("dynamo: Stage outside of an idempotent operation")
	case !ours:
		return reason.New("dynamo: Stage in an operation whose store is no dynamo.Store")
	default:
		return t.stage(explain, items)
	}
}

// writer is the part of a client that Stage needs.
type writer interface {
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Begin implements [idempotency.Transactor].
func (s *Store) Begin(r idempotency.Record) idempotency.Transaction {
	return &transaction{store: s, record: r}
}

var _ idempotency.Transactor = (*Store)(nil)

// transaction has the staged items of one attempt.
type transaction struct {
	store  *Store
	record idempotency.Record // as it was claimed

	mu     sync.Mutex // guards what follows
	items  []staged
	size   int // of the items and the completion without its result, in bytes
	sealed bool
}

type staged struct {
	operation
	item    types.TransactWriteItem
	explain func(*CanceledError) error
}

const (
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
	maxOperations  = 100
	maxTransaction = 4 << 20
)

func (t *transaction) stage(explain func(*CanceledError) error, items []types.TransactWriteItem) error {
	if _, ok := t.store.client.(writer); !ok {
		return fmt.Errorf("dynamo: Stage with a client without TransactWriteItems: %T", t.store.client)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return reason.New("dynamo: Stage after the operation has ended")
	}
	if n := len(t.items) + len(items); n >= maxOperations {
		return fmt.Errorf("dynamo: Stage of %d items, at most %d are possible", n, maxOperations-1)
	}
	all, size := t.items, t.size
	if size == 0 {
		size = sizeOf(t.store.item(t.record))
	}
	for i, item := range items {
		op, err := operationOf(item)
		if err == nil {
			err = t.check(op, all)
		}
		if err != nil {
			return fmt.Errorf("dynamo: Stage: item %d: %w", i, err)
		}
		all = append(all, staged{operation: op, item: item, explain: explain})
		size += op.size
	}
	if size > maxTransaction {
		return fmt.Errorf("dynamo: Stage of %d bytes including the completion of the key, at most %d are possible", size, maxTransaction)
	}
	t.items, t.size = all, size
	return nil
}

// check refuses items that DynamoDB would refuse, as far as that is known here.
func (t *transaction) check(op operation, others []staged) error {
	switch {
	case op.size > maxItem:
		return fmt.Errorf("%d bytes, an item has at most %d", op.size, maxItem)
	case op.table == t.store.table && op.isOn(t.store.key(t.record.Key)):
		return reason.New("it is the item of the idempotency key")
	}
	var keyNames attributes // nil for other tables
	if op.table == t.store.table {
		keyNames = t.store.key("")
	}
	for i := range others {
		if op.isOnSameItem(&others[i].operation, keyNames) {
			return fmt.Errorf("it is on the same item as item %d", i)
		}
	}
	return nil
}

// Seal implements [idempotency.Transaction].
func (t *transaction) Seal() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
	return len(t.items) > 0
}
