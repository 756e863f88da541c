// Package source runs Lambda's event sources in tests: it reads messages, calls a
// function with batches of them, and retries what failed, as Lambda's own pollers do.
//
// A [Queue] is an SQS queue with its event source mapping. The function is any
// [guardtest.Invoker], so also the binary that would be deployed:
//
//	func TestEveryOrderIsBooked(t *testing.T) {
//		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{})
//		clock := source.NewClock(time.Now())
//		dead := source.NewQueue(nil, source.QueueConfig{Name: "orders-dead", Clock: clock})
//		orders := source.NewQueue(fn, source.QueueConfig{
//			Name:    "orders",
//			Clock:   clock,
//			Redrive: source.Redrive{To: dead, MaxReceives: 3},
//			Mapping: source.Mapping{ReportBatchItemFailures: true},
//		})
//		for _, body := range bodies {
//			orders.Send(source.Message{Body: body})
//		}
//		if err := orders.Drain(t.Context()); err != nil {
//			t.Fatal(err)
//		}
//		if err := orders.Ledger().Check(); err != nil {
//			t.Error(err) // a message was lost, or overtook another of its group
//		}
//	}
//
// A [Stream] is a Kinesis stream, the stream of a DynamoDB table or a Kafka topic with its
// mapping: shards, checkpoints, splits, retries that end, and the destination of discarded
// records.
//
// Each source keeps a [Ledger] of what it did with every message. The ledger records
// deliveries and deletions, never what the function claims. [API] lets the function, or
// a command that redrives, use the queue with an SDK's SQS client. Package sqspoll
// drives a queue of a real SQS API in the same way.
//
// # Time
//
// With a [Clock] no test waits: when no function runs and nothing can be received before
// a time, such as the end of a visibility timeout, the source moves the clock to that
// time. Without a Clock it uses the real time, which suits a test that kills processes
// at random.
//
// An [Async], the queue of the asynchronous invocations that S3, SNS and EventBridge make,
// does nothing until its test moves the time, by Advance or Drain.
//
// # What a queue does
//
// The rules are those of AWS's pages; each stands beside the code that follows it.
//
//   - A message is hidden for the visibility timeout once it is received. It is deleted
//     if the function succeeded with it, and otherwise it is visible again after the
//     timeout, with a higher receive count.
//   - A group of a FIFO queue with a message in flight has no more. What stands behind
//     a failing message in its group is received as often as that, so it can become a
//     dead letter with it.
//   - A message that was received MaxReceives times moves to the dead-letter queue when
//     it would be received once more. Without one it comes again until it expires.
//   - A batch has up to BatchSize messages and 6 MB, and waits for them up to BatchWindow.
//   - A throttled batch is tried again, with pauses from 1 s to 1 min, until its
//     visibility timeout ends.
//
// Lambda changes the number of its pollers by load and by errors, and may wait longer
// than the batch window when there is little to do; here they are MaximumConcurrency
// pollers all the time. A message comes twice only if its visibility timeout ends
// before it is deleted, while SQS may deliver any message of a standard queue twice.
//
// # What a stream does
//
//   - A shard has one batch under way, or as many as its ParallelizationFactor, with all
//     records of a key in one of them. Its iterator does not move past a batch that fails.
//   - A partial answer moves the checkpoint to the lowest sequence number in it; all from
//     there on come again, as another batch with retries of its own.
//   - A batch that failed whole is split, if the mapping bisects, until it has one record. A
//     split is no retry.
//   - After the last retry, and from the maximum age on, records are discarded, and the
//     destination gets a message about them. Without a destination they are lost.
//   - A throttled batch is tried again, with pauses from 1 s to 1 min, without a retry.
//
// Lambda may put several discarded batches into one message; here each has its own. The
// pauses between retries are not published: see [Stream].
package source
