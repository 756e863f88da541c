// Package stream runs a Kinesis stream, the stream of a DynamoDB table or a Kafka topic in a
// test: it calls a function with batches of records, in order, and retries and discards what
// failed, as Lambda's event source mapping does.
//
//	readings := stream.New(fn, stream.Config{
//		ReportBatchItemFailures: true,
//		MaximumRetryAttempts:    new(3),
//		Clock:                   source.NewClock(time.Now()),
//	})
//	readings.Put("meter-1", []byte(`{"kwh":1.5}`))
//	if err := readings.Drain(t.Context()); err != nil {
//		t.Fatal(err)
//	}
//	if err := readings.Ledger().Check(); err != nil {
//		t.Error(err) // a record was lost, or overtook another of its shard
//	}
//
// # The rules
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
package stream
