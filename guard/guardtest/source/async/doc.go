// Package async runs asynchronous invocations in a test: the queue that Lambda keeps for S3,
// SNS and EventBridge, with its retries, dead letters and destinations.
//
//	points := async.New(fn, async.Config{DeadLetters: dead.Target()})
//	points.Invoke(sample.Of(guard.S3).Bytes())
//	if err := points.Drain(t.Context()); err != nil { // also the tries after minutes
//		t.Fatal(err)
//	}
//	if err := points.Ledger().Check(); err != nil {
//		t.Error(err) // an event was lost
//	}
//
// Nothing happens until the test moves the time, by [Queue.Advance] or [Queue.Drain]. See
// [Queue] for the rules.
package async
