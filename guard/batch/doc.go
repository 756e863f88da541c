// Package batch handles the records of a queue or a stream one by one, and reports
// to Lambda which of them failed, so that only those come again.
//
//	func book(ctx context.Context, o Order) error { … }
//
//	func main() {
//		guard.Start(batch.SQS(batch.JSON[events.SQSMessage](book)), guard.Default(logging.New(os.Stdout)))
//	}
//
// [SQS], [Kinesis], [DynamoDB] and [Kafka] return a handler for a function that
// handles one record. [JSON] decodes the document of a record, and [Chain] wraps
// the function in layers, such as validate.Records and idempotency.Records.
//
// # The event source mapping
//
// The mapping must have ReportBatchItemFailures in FunctionResponseTypes. Without
// it Lambda ignores which records failed and takes all of them for done. Nothing in
// an event shows that. If a mapping cannot have it, use [FailWhole].
//
// # What is promised
//
//   - A record is reported as done only if its function returned nil in time, or
//     the sink took it. Any other record comes again: it failed, panicked, overran,
//     did not start, or the sink failed.
//   - What the source keeps in order runs in order: a group of a FIFO queue, a
//     partition key of Kinesis, an item of DynamoDB, a partition of Kafka. Nothing
//     runs after a failure that it must follow.
//   - A record starts only if it has the time of [Reserve]. Its context ends before
//     the invocation does, so that there is time to answer.
//   - A record that can never succeed goes to the sink of [DeadLetters], with its
//     reason. Without a sink it comes again until its source gives it up.
//   - An event that is no batch, or has a record without an id or a source, fails
//     as a whole. No guess is made.
//
// Not promised is that a record runs once: Lambda delivers at least once, a process
// can end before it answers, and a stream delivers again what is done behind a
// failure. Use idempotency.Records or idempotency.Do.
//
// # Which errors come again
//
// [guard.Kind.Retryable] decides. An error that is Invalid, say, never succeeds:
// return guard.Errorf(guard.Invalid, …). Any error without a kind may succeed
// later. With [RetryLater], an error with a RetryAfter makes a message of SQS come
// again after that time.
//
// # Log
//
// The record of the invocation has the counts: records, failed, deadLettered and
// notStarted. It also has the error no_time_left if no record could start. Each
// record that failed has a record of its own, "record failed", with recordId,
// source, attempt and error. One that is with the sink has "record dead-lettered".
// One that did not start has none. All that a logger of package logging writes in
// the context of a record has its recordId. What [guard.AddAttrs] adds there is on
// the record of its failure. A body is never logged.
//
// Packages metrics and otel report the same counts; see package layer.
package batch
