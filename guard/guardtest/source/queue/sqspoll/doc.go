// Package sqspoll calls a function with the messages of a real SQS queue, as Lambda's
// event source mapping does: the queue may be in AWS, or in a server that imitates it.
//
//	client := sqs.NewFromConfig(cfg)
//	poller, err := sqspoll.New(ctx, client, queueURL, fn, queue.Mapping{ReportBatchItemFailures: true})
//	…
//	err = poller.Run(ctx) // until ctx ends
//
// It is apart from package queue, which does not link the SDK.
package sqspoll
