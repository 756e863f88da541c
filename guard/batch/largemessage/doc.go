// Package largemessage fetches the bodies of SQS messages that Amazon's extended
// clients have put into S3.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	fetch := largemessage.Fetch(s3.NewFromConfig(cfg), "order-payloads")
//	guard.Start(batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](book), fetch)))
//
// # Pointers
//
// A message with the attribute ExtendedPayloadSize, or with SQSLargePayloadSize of
// older libraries, has a pointer as its body:
//
//	["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"order-payloads","s3Key":"9f86d081"}]
//
// The next function gets the message with the object as its body. The other
// attributes are kept. The one that marked the pointer is gone, as with Amazon's
// clients, and Md5OfBody is still that of the pointer. A message without such an
// attribute passes as it is, even if its body looks like a pointer. The size in the
// attribute is not read.
//
// The class may also be com.amazon.sqs.javamessaging.MessageS3Pointer. See
// https://github.com/awslabs/amazon-sqs-java-extended-client-lib and
// https://github.com/awslabs/payload-offloading-java-common-lib-for-aws.
//
// # Errors
//
// A sender to the queue chooses the bucket and the key. So only the buckets that
// [Fetch] names are read, and only up to [MaxBytes]. These errors can never
// succeed, and a sink for dead letters takes the message:
//
//   - code malformed_pointer, kind Invalid: the body is no pointer;
//   - code foreign_bucket, kind Invalid: the pointer leads to another bucket, where
//     nothing is fetched;
//   - code payload_too_large, kind TooLarge: the object is over the limit;
//   - code payload_missing, kind NotFound: there is no such object.
//
// A missing object does not come later: S3 shows an object as soon as it is stored,
// and the clients send the message afterwards
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel).
// It has been deleted, often by a lifecycle rule. If you restore it, the dead letter
// still has the pointer. If the bucket is a replica that can be behind, see
// [RetryMissing].
//
// Any other failure may pass: kind Unavailable if S3 does not answer, Internal if it
// denies. Without s3:ListBucket, S3 answers for a missing object as for one that
// is denied, so grant it.
//
// # Permission
//
//	{
//	  "Effect": "Allow",
//	  "Action": "s3:GetObject",
//	  "Resource": "arn:aws:s3:::order-payloads/*"
//	},
//	{
//	  "Effect": "Allow",
//	  "Action": "s3:ListBucket",
//	  "Resource": "arn:aws:s3:::order-payloads"
//	}
//
// Objects that are encrypted with a customer managed key need kms:Decrypt. Nothing
// deletes an object: add a lifecycle rule to the bucket that keeps it longer than
// the queue and its dead-letter queue keep a message.
package largemessage
