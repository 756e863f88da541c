// Package sqsdead sends dead letters to an SQS queue, with the reason of each in its
// message attributes.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	sink := sqsdead.New(sqs.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS_URL"))
//	guard.Start(batch.SQS(book, batch.DeadLetters(sink)))
//
// # The message
//
// A record of an SQS queue is sent as the message that it was: the same body, and
// the same message attributes. So a consumer of the source queue needs to know
// nothing of this package. Any other record is sent as the JSON that the event had.
//
// The console's redrive, and StartMessageMoveTask, move such a message back if you
// name the source queue as a custom destination. They do not find the source of a
// message that was sent to the dead-letter queue and not moved there by SQS
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html).
//
// These attributes are added. They are of type String, and the number of attempts
// is a Number. One without a value is left out.
//
//	lambdarmor.code          the code of the error: "unknown_sku"
//	lambdarmor.detail        its detail
//	lambdarmor.requestId     of the invocation that gave the record up
//	lambdarmor.source        the ARN of the source
//	lambdarmor.id            the id of the record in its source
//	lambdarmor.firstFailure  RFC 3339
//	lambdarmor.lastFailure   RFC 3339
//	lambdarmor.attempts      how often the record was delivered
//	lambdarmor.record        the trigger, if the body is the JSON of a record
//	lambdarmor.message       what else the message had, see below
//
// A message has ten attributes at most
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
// If the original ones do not fit beside these, all of them are packed into
// lambdarmor.message, a JSON object:
//
//	{"messageGroupId": "c-42", "messageAttributes": {"type": {"dataType": "String", "stringValue": "order.placed"}}}
//
// That attribute also keeps the message group, if the dead-letter queue is no FIFO
// queue. The console's redrive leaves it packed; [Original], [Letter]
// and examples/redrive unpack it. A message that comes back with attributes of this package, and fails
// again, has only the new ones.
//
// A record of a queue is sent as JSON, too, if SQS would refuse its body: an empty
// one, or one with a character that XML 1.0 does not allow. Neither comes from a
// queue, but an event can be forged. In the detail of an error such a character is
// replaced by U+FFFD.
//
// A letter can be there twice, with one lambdarmor.id: when the process ends after SQS
// has taken it, the record comes again and is given up again.
//
// # Queues that are FIFO
//
// If the URL ends in .fifo, the letter's group is the message group, and the ARN of
// the source where there is none. The deduplication id is made of the source, the
// record's id and the request id. So a retry of the SDK is stored once. A record
// that is given up again, in another invocation, is another message: SQS accepts a
// message with an id that it has seen in the last five minutes, and drops it.
//
// # Large letters
//
// SQS takes 1 MiB, attributes included. A larger letter is stored in a bucket, in
// the form of Amazon's extended clients, if the sink has a store for it; package
// largemessage resolves that. Otherwise Send returns an error, and nothing is cut:
//
//	sqsdead.New(client, url, sqsdead.Large(s3dead.NewPayloads(s3.NewFromConfig(cfg), "dead-payloads")))
//
// # Permission
//
//	{
//	  "Effect": "Allow",
//	  "Action": "sqs:SendMessage",
//	  "Resource": "arn:aws:sqs:eu-central-1:111122223333:orders-dead"
//	}
//
// A queue that is encrypted with a customer managed key needs kms:GenerateDataKey
// and kms:Decrypt on that key.
package sqsdead
