// Package metrics counts and times what happens in an invocation, and writes it to
// CloudWatch in the embedded metric format: as a line of JSON on standard output.
//
//	emf := metrics.New(os.Stdout, "Shop")
//	guard.Start(routes, metrics.Default(emf), httpapi.Default(log))
//
// and in a handler
//
//	err := metrics.Add(ctx, "OrdersPlaced", metrics.Count, 1)
//
// [Default] measures each invocation: how many there are, how long they take, and
// how many fail, by kind. [Emit] measures nothing by itself. Both write what [Add]
// measures at the end of the invocation, however it ends. The measurements belong
// to the invocation of the context, so invocations that share a process never mix.
// A [Meter] is all that a handler and these layers need: package guard/otel has one
// that sends the same metrics by OpenTelemetry.
//
// # Documents
//
// A line is a document. All measurements of an invocation with the same dimensions
// are in one, so an invocation that only has the default dimensions writes one
// line. Each document has requestId, traceId, trace_id, span_id and correlationId,
// as far as they are known, so that it is found beside the records of the log.
// [AddMetadata] adds more.
//
// A name, a unit or a value that CloudWatch would drop is an error of the call.
//
// Lambda ends a process whose invocation has timed out. Documents that are not
// written by then are lost. [guard.Deadline], which is part of the default chains,
// ends a slow invocation before that.
//
// CloudWatch delivers a document at least once. A metric can have a value twice, so
// do not bill by it.
//
// # The log
//
// Log and metrics may share a writer, which is [os.Stdout] in Lambda. A document is
// one call of Write, and so is a record of package logging. An [os.File] completes
// one call before the next, so lines are never interleaved. Any other writer that
// they share must do the same.
//
// A document has no level, unless a dimension is named so: then Lambda reads that.
// If the log format of the function in Lambda is JSON, Lambda takes a line without
// one [for INFO]. With an application log level of WARN or above Lambda drops it and
// the metrics are lost. Leave that level at INFO and use logging.MinLevel, or see
// [LogLevel].
//
// # Alarms
//
// A metric that did not occur has no value: let an alarm on Faults treat missing
// data as not breaching. It adds the kinds with +, for which [a missing value is 0].
//
// The time of a value is the start of the invocation, as in [Lambda's own metrics].
// Let an alarm look back longer than the timeout of the function.
//
// A process that Lambda ends, at its timeout or out of memory, cannot write that it
// failed. Errors in the namespace AWS/Lambda counts it: set an alarm on that too.
//
// # Cost
//
// CloudWatch charges for each metric in each hour that has a value: a name with one
// set of values of its dimensions. That is about 0.30 USD a month in us-east-1
// ([pricing], 2026). Of Default these are Invocations, Duration, Remaining and
// ColdStart, and one for each kind of failure and each count that occurs. A
// dimension with a thousand values makes a thousand metrics of each name. An id is
// no dimension; it is for AddMetadata. The lines are charged as log: about 400
// bytes for an invocation with Default.
//
// [for INFO]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
// [a missing value is 0]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
// [Lambda's own metrics]: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
// [pricing]: https://aws.amazon.com/cloudwatch/pricing/
package metrics
