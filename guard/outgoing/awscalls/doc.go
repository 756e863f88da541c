// Package awscalls sends the trace of an invocation with the calls of AWS SDK clients.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	…
//	awscalls.Instrument(&cfg)
//	queue := sqs.NewFromConfig(cfg)
//
// The SDK sends Lambda's tracing header by itself, but takes it from the environment:
// with several invocations at once that is the header of another one, or none. Lambda
// counts on it to end loops, and SQS delivers it with the message as AWSTraceHeader, so
// that the trace goes on in the function that receives it.
//
// A package that traces the calls, such as guard/otel or guard/xray, sends the header of
// its own span and needs nothing of this one.
//
// The correlation id and the hop counter travel with messages as attributes: see
// packages sqshops and snshops of guard/recursion.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
package awscalls
