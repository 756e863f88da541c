// Package queue runs an SQS queue in a test: it calls a function with batches of messages,
// and retries and dead-letters what failed, as SQS and Lambda's poller do.
//
// The function is any [guardtest.Invoker], so also the binary that would be deployed:
//
//	func TestEveryOrderIsBooked(t *testing.T) {
//		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{})
//		clock := source.NewClock(time.Now())
//		dead := queue.New(nil, queue.Config{Name: "orders-dead", Clock: clock})
//		orders := queue.New(fn, queue.Config{
//			Name:    "orders",
//			Clock:   clock,
//			Redrive: queue.Redrive{To: dead, MaxReceives: 3},
//			Mapping: queue.Mapping{ReportBatchItemFailures: true},
//		})
//		for _, body := range bodies {
//			orders.Send(queue.Message{Body: body})
//		}
//		if err := orders.Drain(t.Context()); err != nil {
//			t.Fatal(err)
//		}
//		if err := orders.Ledger().Check(); err != nil {
//			t.Error(err) // a message was lost, or overtook another of its group
//		}
//	}
//
// [API] lets the function, or a command that redrives, use the queue with an SDK's SQS
// client. Package sqspoll drives a queue of a real SQS API in the same way.
//
// # The rules
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
package queue
