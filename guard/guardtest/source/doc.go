// Package source has what Lambda's event sources have in common when they run in a test: the
// ledger of what became of each message, the clock, and where failed messages go.
//
// The sources are packages of their own. Each calls a function, which is any
// [guardtest.Invoker], so also the binary that would be deployed, and retries what failed
// as Lambda does:
//
//   - Package queue is an SQS queue with its event source mapping.
//   - Package stream is a Kinesis stream, the stream of a DynamoDB table or a Kafka topic,
//     with its mapping.
//   - Package async is the queue of the asynchronous invocations that S3, SNS and
//     EventBridge make.
//
// Each source keeps a [Ledger] of what it did with every message. The ledger records
// deliveries and deletions, never what the function claims. Its Check is the last line of
// most tests:
//
//	if err := orders.Drain(t.Context()); err != nil {
//		t.Fatal(err)
//	}
//	if err := orders.Ledger().Check(); err != nil {
//		t.Error(err) // a message was lost, or overtook another of its group
//	}
//
// # Time
//
// With a [Clock] no test waits: when no function runs and nothing can be received before
// a time, such as the end of a visibility timeout, the source moves the clock to that
// time. Without a Clock a queue and a stream use the real time, which suits a test that
// kills processes at random.
package source
