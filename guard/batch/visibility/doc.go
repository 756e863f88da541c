// Package visibility makes a message of SQS visible again at a time of your choice, so
// that a message that failed is tried again later.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	later := visibility.New(sqs.NewFromConfig(cfg))
//	guard.Start(batch.SQS(book, batch.RetryLater(later, batch.Backoff(10*time.Second, time.Hour))))
//
// Without it, a message that failed comes again when the visibility timeout of its
// queue has passed, each time after the same wait.
//
// The queue is the one that the message came from: its URL is made from the ARN in
// the event, for every partition of AWS. [QueueURL] names another.
//
// # Limits
//
// SQS counts whole seconds, so a time is rounded up. A message cannot be invisible
// for more than 12 hours in total, counted from when it was received. SQS refuses a
// longer time and does not shorten it
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html).
// When a message was received is not in the event. Lambda may have held it for 5
// minutes, and the function may have had it for 15, so that a time is at most 11
// hours and 40 minutes here.
//
// # Permission
//
//	{
//	  "Effect": "Allow",
//	  "Action": "sqs:ChangeMessageVisibility",
//	  "Resource": "arn:aws:sqs:eu-central-1:111122223333:orders"
//	}
package visibility
