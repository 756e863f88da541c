// Package recursion ends loops of functions that invoke each other through queues,
// topics, buses and HTTP.
//
// A counter of hops travels with what a function sends. Limit refuses an event that has
// made too many. What is sent is stamped:
//
//	client := sqs.NewFromConfig(cfg, sqshops.Carry)
//	web := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("*.internal.example"))}
//
//	guard.Start(h, guard.Default(log), recursion.Limit(8))
//
// In a batch every record has a counter of its own:
//
//	guard.Start(batch.SQS(batch.Chain(book, recursion.Records[events.SQSMessage](8))), guard.Default(log))
//
// Every function of the chain needs both. One that does not pass the counter on starts a
// new chain, and a loop through it is not seen.
//
// # What Lambda does by itself
//
// Lambda stops a chain after about 16 invocations, if it consists of SQS, SNS, S3 and
// Lambda alone and an AWS SDK of 2023 or later has sent the messages. It does not see a
// loop through anything else, such as EventBridge, DynamoDB streams, Kinesis or HTTP:
// that one runs on.
//
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
//
// # Where the counter is
//
//	SQS, SNS        the message attribute lambdarmor.hops      sqshops.Carry, snshops.Carry
//	EventBridge     the member _hops of the detail             eventbridgehops.Carry
//	HTTP            the header Lambdarmor-Hops, and baggage    outgoing.Transport, or SetHeader
//	JSON            the member _hops                           your program, with Hops
//	DynamoDB        the attribute _hops of the new image       your program, with Hops
//	Kafka           the header lambdarmor.hops                 your program, with Hops
//
// JSON is the data of a Kinesis record, the payload of a direct invocation, and the body
// of an SQS message. Also an SNS notification or an event of EventBridge in such a text is
// looked at. If there are several counters, the largest one counts.
//
// A W3C baggage member passes through services that know nothing of this package, if they
// propagate baggage (https://www.w3.org/TR/baggage/). There is no place for a counter in
// the events of S3 and in the destinations of asynchronous invocations. An event that is
// a JSON array, as EventBridge Pipes send, is not read: a loop through a pipe is not seen.
//
// The clients of AWS stand in packages of their own, so that a function links those
// alone that it uses.
//
// # What the counter is worth
//
// It is the sender's word. A sender can leave it out and begin a chain, as any sender
// may. A sender that makes up a large one gets its own event refused, or the events that
// are made of it: the client of a public API can end its own chain halfway. A gateway or
// a CDN prevents that if it removes the headers Lambdarmor-Hops and baggage.
//
// A counter that is no number from 0 to 9999 is refused too: if it counted as 0, a loop
// through a broken sender would run for ever.
package recursion
