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
// Records that other libraries have written have no owner. They are respected
// while they are live, replayed when they are completed, and taken over when
// their lease is over. One without a lease counts until it expires.
//
// # Requests and permissions
//
// A first call is two requests, PutItem and UpdateItem; a replay one, PutItem; a
// failure two, PutItem and DeleteItem; an abandoned key costs one PutItem more.
// A write that fails its condition is charged as a write. The function needs
// dynamodb:PutItem, UpdateItem and DeleteItem on the table. GetItem it needs
// only with a server that does not return the item which made a condition fail;
// DynamoDB does.
//
// # Limits
//
// An item has 400 kB. Results from 4 kB on are compressed; what does not fit
// all the same is completed without its result. A table with a single
// partition, see [SortKey], takes 1000 writes a second. Global tables settle
// conflicts by the last writer and so have no fence between regions: keep a key
// in one region, or use a table with strong consistency across regions.
package dynamo
