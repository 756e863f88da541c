// Package dynamo keeps idempotency records in a DynamoDB table:
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	store := dynamo.New(dynamodb.NewFromConfig(cfg), os.Getenv("IDEMPOTENCY_TABLE"))
//	once := idempotency.Once(store, idempotency.Header("Idempotency-Key"))
//
// # Table
//
// The partition key is a string named id. Turn TTL on for the attribute
// expiration: it removes what has expired within days, and until then expiry is
// judged by whoever reads a record. The attributes are those of Powertools for
// AWS Lambda, and owner and epoch beside them:
//
//	id                      S  the key, a hash
//	status                  S  INPROGRESS or COMPLETED
//	expiration              N  seconds since 1970
//	in_progress_expiration  N  milliseconds since 1970: the end of the lease
//	data                    S  the result; B where it is compressed or not UTF-8
//	encoding                S  gzip, or not there
//	validation              S  the fingerprint
//	owner                   S  the token of the attempt
//	epoch                   N  its number
//
// A second or later attempt that has failed leaves its item behind, without an
// owner and with a lease of 0, so that [idempotency.Reconcile] is asked again.
//
// Records that other libraries have written have no owner. They are respected
// while they are live, replayed when they are completed, and taken over when
// their lease is over. One without a lease counts until it expires.
//
// # Exactly once
//
// A handler that writes to DynamoDB has its writes take place exactly once by
// handing them to [Stage] instead:
//
//	func (s *shop) place(ctx context.Context, o order) (receipt, error) {
//		err := dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
//			TableName: &s.orders, Item: o.item(),
//		}})
//		return receipt{ID: o.ID}, err
//	}
//
// They are written in one TransactWriteItems with the completion of the key,
// conditional on the fence. So what is killed, times out or comes late writes
// nothing, or all of it together with the answer that a repeat will get. The
// handler does not read what it has staged.
//
// Where a write has a condition, [StageOr] says what its failure means. Nothing
// is written then, nothing is kept, and the next try runs. Transactions that are
// in the way and throttling are waited for, 10 s at most and no longer than half
// of what is left of the invocation.
//
// A transaction that is not answered may have taken place or may still do. It is
// sent again with the same client request token, and if that does not settle it
// either, withdrawn: releasing the key succeeds, and then whatever arrives later
// fails at the fence; or it finds the key completed, and then all is written.
// Only if DynamoDB answers neither, the error is idempotency_commit_unknown, and
// the lease goes on.
//
// One thing can still make [idempotency.ErrNotCommitted] untrue: if the claim was
// sent twice, and a copy of it arrives after the withdrawal, and after that a
// copy of the transaction. Then the writes are there after all. They are there
// once, and a repeat gets their answer.
//
// # Requests and permissions
//
// A first call is two requests, PutItem and UpdateItem, or TransactWriteItems
// where something was staged; a replay one, PutItem; a failure two, PutItem and
// DeleteItem (UpdateItem after a take-over), or three where the transaction
// fails. An abandoned key costs one PutItem more, and a claim whose answer is lost
// its release.
//
// A transaction is charged as twice its writes. A write that fails its condition
// is charged as well, by the size of the larger item: a replay of a result of
// 50 kB takes 50 write units each time. Where repeats are frequent and results
// large, [idempotency.LocalReplays] answers those that reach the same process
// without a request, and [CompressFrom] makes items smaller.
//
// DAX does not help. A replay is a write that fails, and writes pass through it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
//
// The function needs dynamodb:PutItem, UpdateItem and DeleteItem on the table.
// GetItem it needs only with a server that does not return the item which made a
// condition fail; DynamoDB does.
//
// For Stage it needs what the staged items do, on their tables: PutItem,
// UpdateItem, DeleteItem or ConditionCheckItem, and nothing more on this one. The
// condition key dynamodb:EnclosingOperation, with the value TransactWriteItems,
// makes sure that a table is written in no other way.
//
// # Encryption
//
// Results are stored as they are, readable by whoever may read the table. A table
// under a customer managed KMS key needs the function's role to be allowed to use
// that key through DynamoDB. While the key is disabled or out of reach every claim
// fails, and nothing runs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
//
// # Limits
//
// An item has 400 kB. Results from 4 kB on are compressed; what does not fit
// all the same is completed without its result. A transaction has 100 items, the
// completion among them, and 4 MB, all in one account and region. A table with a single
// partition, see [SortKey], takes 1000 writes a second. Global tables settle
// conflicts by the last writer and so have no fence between regions: keep a key
// in one region, or use a table with strong consistency across regions, which
// however takes no transactions.
package dynamo
