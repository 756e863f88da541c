// Package xray sends traces of Lambda invocations to AWS X-Ray, with AWS's X-Ray
// SDK for Go. The function must have active tracing.
//
//	guard.Start(httpapi.Func(placeOrder), xray.Trace(), httpapi.Default(log))
//
// The SDK is in maintenance: prefer package guard/otel in a new function. AWS's
// pages disagree on what comes next. Both say that it has been in maintenance
// since February 25th, 2026. [One] names no end of that, with releases for security
// issues only. [The other] ends support on February 25th, 2027, after which there
// are no releases at all. Both recommend OpenTelemetry.
//
// # What it adds
//
// This package is a module of its own, so that those who do not import it have
// nothing of the SDK in their module list. It adds about 12 MiB to a binary and
// 3 ms to its start.
//
// # What the SDK does by itself
//
// The SDK reads AWS_XRAY_DAEMON_ADDRESS and AWS_XRAY_CONTEXT_MISSING when the
// program starts, and ends it with a panic if the address is not one. In Lambda,
// where LAMBDA_TASK_ROOT is set, it makes the file /tmp/.aws-xray/initialized; for
// nothing else does it matter here whether that variable is set. It reads
// AWS_XRAY_SDK_DISABLED at each use: "true" turns this package off.
//
// Segments are sent as UDP packets. A packet that is lost, or larger than the
// 64 kB of one, is missing in the trace and fails nothing. The SDK starts
// goroutines that ask X-Ray for sampling rules when a program begins a segment of
// its own with sdk.BeginSegment. This package does not: Lambda has decided on
// sampling.
//
// The SDK writes lines of text to standard output: one with the daemon's address
// at the first segment, and one for each packet that could not be sent. To keep
// them out of the log, silence them in main:
//
//	sdk.SetLogger(xraylog.NullLogger)
//
// This package changes nothing of the SDK's global configuration and keeps the
// emitter that is set there. Configure the SDK before guard.Start: the SDK reads
// its configuration without a lock.
//
// # The handler's own subsegments
//
// The SDK's functions work inside [Trace], with the context of the invocation:
// sdk.Capture, sdk.AddAnnotation and others. Of an error they record the type, and
// the stack of a panic: Trace leaves out the texts. On the subsegment of Trace,
// sdk.AddError records the error and does not mark it; the outcome does. What the
// handler passes to AddAnnotation and AddMetadata is sent as it is.
//
// A subsegment that is still open when the handler returns is sent when it is
// closed. Until then the handler's is in the trace as one in progress.
//
// [One]: https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-daemon-timeline.html
// [The other]: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-eos.html
package xray
