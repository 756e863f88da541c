// Package dynamo keeps idempotency records in a DynamoDB table, and can commit a
// handler's own DynamoDB writes exactly once, in the same transaction.
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
// The partition key is a string named id. Turn on TTL for the attribute
// expiration. DynamoDB removes expired items within days; until then the store
// ignores them. The attributes are the same as in Powertools for AWS Lambda, plus
// owner and epoch:
//
//	id                      S  the key, a hash
//	status                  S  INPROGRESS or COMPLETED
//	expiration              N  seconds since 1970
//	in_progress_expiration  N  milliseconds since 1970: the end of the lease
//	data                    S  the result; B if it is compressed or not UTF-8
//	encoding                S  gzip, or missing
//	validation              S  the fingerprint
//	owner                   S  the token of the attempt
//	epoch                   N  its number
//
// A released item of a second or later attempt stays, without an owner and with a
// lease of 0, so that [idempotency.Reconcile] is called again.
//
// The counters of package guard/quota are items of their own, with id, expiration and
// used, a number. Each takes one UpdateItem a share, see [Store.Take].
//
// Items of other libraries have no owner. They are respected while they are live,
// replayed when they are completed, and taken over when their lease has ended.
// Without a lease they count until they expire.
//
// # Exactly once
//
// A handler whose writes must happen exactly once passes them to [Stage]:
//
//	func (s *shop) place(ctx context.Context, o order) (receipt, error) {
//		err := dynamo.Stage(ctx, types.TransactWriteItem{Put: &types.Put{
//			TableName: &s.orders, Item: o.item(),
//		}})
//		return receipt{ID: o.ID}, err
//	}
//
// One TransactWriteItems writes them together with the completion of the key, if
// the attempt still holds it. An attempt that is killed, times out or comes late
// writes nothing, or everything including the answer for repeats. The handler
// cannot read what it has staged.
//
// If a condition of a write fails, nothing is written and the next try runs.
// [StageOr] sets the error that the caller then gets. Conflicts with other
// transactions and throttling are retried for 10 s at most, and for no longer than
// half of the time that the invocation has left.
//
// A transaction without an answer is sent again with the same client request token.
// If the outcome is still unknown, the key is released. If the release succeeds,
// the transaction can no longer take place. If the key is found completed, the
// transaction has taken place. If DynamoDB answers neither request, the caller gets
// idempotency_commit_unknown, and the lease goes on.
//
// In one case [idempotency.ErrNotCommitted] can be wrong: the claim was sent twice,
// a copy of it arrives after the release, and a copy of the transaction after that.
// The writes then happen once, and a repeat gets their answer.
//
// # Requests and permissions
//
// A first call takes two requests: PutItem, and UpdateItem or TransactWriteItems. A
// replay takes one PutItem. A failure takes two, PutItem and DeleteItem (UpdateItem
// after a take-over), and three if a transaction failed. An abandoned key takes one
// more PutItem.
//
// The function needs dynamodb:PutItem, UpdateItem and DeleteItem on the table, and
// for Stage what the staged items do on theirs. It needs GetItem only for a server
// that does not return the item that made a condition fail; DynamoDB does. With the
// condition key dynamodb:EnclosingOperation set to TransactWriteItems, IAM refuses
// writes outside of a transaction.
//
// DynamoDB charges a transaction as twice its writes, and a write whose condition
// fails by the size of the existing item: a replay of 50 kB takes 50 write units.
// [idempotency.LocalReplays] and [CompressFrom] make that less. DAX does not: a
// replay is a write.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
//
// # Encryption
//
// Results are readable by everyone who may read the table. With a customer managed
// KMS key, the function's role needs to use that key through DynamoDB. While the
// key is disabled every claim fails, and nothing runs.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
//
// # Limits
//
// An item has 400 kB. Results from 4 kB on are compressed; one that still does not
// fit is not stored. A transaction has 100 items including the completion, and 4
// MB, in one account and region. A table with one partition, see [SortKey], takes
// 1000 writes a second. Global tables with eventual consistency settle conflicts by
// the last writer, so there is no fence between regions: keep a key in one region.
// Those with strong consistency take no transactions.
package dynamo
