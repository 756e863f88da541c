// Package source runs Lambda's event sources in tests: it reads messages, calls a
// function with batches of them, and retries what failed, as Lambda's own pollers do.
//
// A [Queue] is an SQS queue with its event source mapping. The function is any
// [guardtest.Invoker], so also the binary that would be deployed:
//
//	func TestEveryOrderIsBooked(t *testing.T) {
//		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{})
//		dead := source.NewQueue(nil, source.QueueConfig{Name: "orders-dead"})
//		q := source.NewQueue(fn, source.QueueConfig{
//			Name:                    "orders",
//			ReportBatchItemFailures: true,
//			Redrive:                 source.Redrive{To: dead, MaxReceives: 3},
//			Clock:                   source.NewClock(time.Now()),
//		})
//		for _, order := range orders {
//			q.Send(source.Message{Body: order})
//		}
//		if err := q.Drain(t.Context()); err != nil {
//			t.Fatal(err)
//		}
//		if err := q.Ledger().Check(); err != nil {
//			t.Error(err) // a message was lost, or overtook another of its group
//		}
//	}
//
// A [Stream] is a Kinesis stream, the stream of a DynamoDB table or a Kafka topic with its
// mapping: shards, checkpoints, splits, retries that end, and the destination of what is
// given up.
//
// Each source keeps a [Ledger] of what it did with every message. The ledger records
// deliveries and deletions, never what the function claims.
//
// # Time
//
// With a [Clock] no test waits: when a source has nothing to do before a time, such as
// the end of a visibility timeout, it moves the clock to that time. Without a Clock a
// source uses the real time.
//
// An [Async], the queue of the asynchronous invocations that S3, SNS and EventBridge make,
// does nothing until its test moves the time, by Advance or Drain.
package source
