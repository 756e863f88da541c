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

// Stage has items written in the one transaction that completes the key of the
// innermost [idempotency.Once] or [idempotency.Do] around ctx, whose store must
// be a [Store]: all that the handler has staged is there when its answer is, or
// nothing of it. It writes nothing itself. Items are not to be changed until
// the operation is over. It may be called repeatedly, and concurrently.
//
// What was staged is written if the handler returns an answer that is kept,
// whatever its status. Nothing is written if it returns an error, also one
// whose answer is kept, or an answer that is released and tells of a failure. A
// success that is not kept, as an SQS batch of which a part has failed, becomes
// an error: nothing is written then either, and the whole is to be done again.
//
// If a condition of an item fails, or an item cannot be written, the error of
// the operation wraps a [CanceledError] and [idempotency.ErrNotCommitted], and
// the key is free for a retry. Around Do that is an error like any other; inside
// Once the handler has returned by then: [StageOr] gives the error its meaning.
//
// An error of Stage stages none of its items: there is no operation or it has
// ended; another store keeps it; with the items the transaction has more than
// 99, or more than 4 MB in all with the completion of the key; an item has more
// than 400 kB; two operations are on one item or one is on the key's own. What
// only DynamoDB or its client can see, such as the size of an item that an Update
// leaves or an Update without an expression, fails with the commit: that is an
// error of kind Internal, which no retry helps.
func Stage(ctx context.Context, items ...types.TransactWriteItem) error {
	return StageOr(ctx, nil, items...)
}

// StageOr is [Stage], and says what it means if an item of these fails: the
// operation then fails with the error that explain makes of the failure, as a
// [guard.Error] that tells the caller what was in the way:
//
//	err := dynamo.StageOr(ctx, func(failed *dynamo.CanceledError) error {
//		return &guard.Error{Kind: guard.Conflict, Code: "sold_out", Err: failed}
//	}, items...)
//
// Explain is called after the handler has returned, at most once: that of the
// first item that failed. Whatever it makes of it, the key is released and
// nothing is kept; where it returns nil the error is the failure itself.
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

// writer is what a client needs for Stage.
type writer interface {
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Begin implements [idempotency.Transactor].
func (s *Store) Begin(r idempotency.Record) idempotency.Transaction {
	return &transaction{store: s, record: r}
}

var _ idempotency.Transactor = (*Store)(nil)

// transaction is what one attempt has staged.
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
		return fmt.Errorf("dynamo: Stage of %d items, more than the %d that go with the completion of the key", n, maxOperations-1)
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
		return fmt.Errorf("dynamo: Stage of %d bytes with the completion of the key, more than %d", size, maxTransaction)
	}
	t.items, t.size = all, size
	return nil
}

// check refuses what DynamoDB would, as far as it can be seen from here.
func (t *transaction) check(op operation, others []staged) error {
	switch {
	case op.size > maxItem:
		return fmt.Errorf("%d bytes, more than the %d of an item", op.size, maxItem)
	case op.table == t.store.table && op.on(t.store.key(t.record.Key)):
		return reason.New("it is the idempotency key's own")
	}
	var names map[string]types.AttributeValue // of the key, where its table is known
	if op.table == t.store.table {
		names = t.store.key("")
	}
	for i := range others {
		if op.meets(&others[i].operation, names) {
			return fmt.Errorf("item %d is the same one", i)
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
