// Package s3dead stores dead letters in an S3 bucket, one object for each.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	sink := s3dead.New(s3.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS"), s3dead.Prefix("orders/"))
//	guard.Start(batch.SQS(book, batch.DeadLetters(sink)))
//
// # The object
//
// An object is the JSON of a [batch.DeadLetter], and json.Unmarshal reads it back.
// Its key has the day of the first failure in UTC, the name of the source, and the
// id of the record:
//
//	orders/2026/12/01/orders-queue.9f86d081884c7d65/059f36b4-87a3-44ab-83d2-661975830001.json
//
// What follows the dot is a hash of the ARNs of the source and of the function: two
// accounts may have sources of one name, and two functions may read one source. Letters, digits, hyphens and underscores of an id
// stay. An id that has anything else, like a slash, or more than 128 characters, has
// hyphens in their place and ends with a dot and a hash.
//
// A letter that is stored twice is one object, and so are two letters of one function
// and one record whose first failure is on one day. The later one replaces the earlier
// one: it has the same record, and the reason why that failed last. It is not stored
// under a condition (If-None-Match), because a record that is run again, and given up
// again, has to be seen as stored anew. Turn on versioning if you need each reason.
//
// # Payloads
//
// [NewPayloads] returns the store for what is larger than a message of SQS, as
// package sqsdead needs it. The key of a payload is its SHA-256, so that equal ones
// are one object. Nothing deletes payloads: add a lifecycle rule to the bucket that
// keeps them longer than the queue keeps messages, 14 days at most.
//
// # Permission
//
//	{
//	  "Effect": "Allow",
//	  "Action": "s3:PutObject",
//	  "Resource": "arn:aws:s3:::dead-letters/orders/*"
//	}
//
// A bucket that is encrypted with a customer managed key needs kms:GenerateDataKey.
// With [BucketOwner] a bucket of another account is refused, such as one that took
// the name after yours was deleted.
package s3dead
