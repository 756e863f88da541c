// Command local runs a Lambda function on this machine behind an HTTP API, without
// Docker, without a cloud, and without changes to the function.
//
//	go run ./guard/local [flags] <package or bootstrap>
//
// The argument is a package or a built file. A package is built as for Lambda's
// OS-only runtimes (go build -tags lambda.norpc, with GOFLAGS and GOTOOLCHAIN of the
// environment). The function runs as a real process that uses Lambda's Runtime API.
// Requests become events of an HTTP API of API Gateway, and answers become responses.
//
//	go run ./guard/local ./examples/orders
//	curl -i http://127.0.0.1:8080/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: k-1' \
//		-d '{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}'
//
// In another module it is a tool, under the name local:
//
//	go get -tool github.com/lambdarmor/lambdarmor/guard/local
//	go tool local .
//
// Flags:
//
//	-addr         where to listen, 127.0.0.1:8080; port 0 picks one and prints it
//	-route        a route, repeatable: 'POST /orders', 'GET /orders/{id}', 'ANY /x/{proxy+}'; none: see Routes
//	-format       payload format of the function's events and responses, 2.0 or 1.0
//	-timeout      of one invocation, 29s
//	-memory       of one process in MB, 128
//	-concurrency  invocations that one process takes at once, 1
//	-instances    processes, started on demand, 1; requests beyond that wait
//	-env          a file of NAME=value lines; blank lines and lines that begin with # are skipped
//	-event        a file, or - for the standard input: invoke once with this event and print the answer
//	-stream       a Kinesis stream before the function, in memory, named by -stream=orders; see A stream
//	-queue        an SQS queue before the function: in memory, named by -queue=orders.fifo, or at a URL; see A queue
//
//	-authorizer         a package or bootstrap that decides which requests reach the function
//	-identity           its identity sources, comma-separated: '$request.header.Authorization,$context.routeKey'
//	-ttl                how long its answers are kept by the identity sources, up to 1h; 0, not at all
//	-authorizer-format  of its events and answers: simple or policy, which are 2.0, or 1.0; simple
//
// # Routes
//
// Without -route, the routes come from a SAM template beside the function's source:
// its events of the type HttpApi, and $default behind them. Without a template,
// $default takes every request.
//
// # An authorizer
//
// With -authorizer a second function decides about requests, as a Lambda authorizer of
// an HTTP API does; see [gateway.Authorizer].
//
//	go run ./guard/local -authorizer ./examples/authorizer \
//		-identity '$request.header.Authorization,$context.routeKey' -ttl 300s ./examples/orders
//	curl -i http://127.0.0.1:8080/orders/42                                # 401, the authorizer is not called
//	curl -i http://127.0.0.1:8080/orders/42 -H 'Authorization: Bearer x'   # 403, or 200 with a good token
//
// Without routes, $context.routeKey is $default for every request.
//
// The authorizer runs as one process, which takes one request at a time and has 10
// seconds for it. It sees the same variables as the function, and its log lines begin
// with "authorizer: ". When it fails, the client gets 500, as from API Gateway, and the
// reason is on the console.
//
// # A queue
//
// A function whose template has an event of the type SQS gets that queue, in memory:
//
//	go run ./guard/local ./examples/queue
//	curl -i -X POST http://127.0.0.1:8080/_queue -d '{"order":1}'   # puts a message
//	curl http://127.0.0.1:8080/_queue                               # shows the ledger
//
// The message is the body. The query adds group, dedup, delay in seconds, and message
// attributes by attr.NAME; a FIFO queue needs a group. Of the template are used BatchSize,
// MaximumBatchingWindowInSeconds, ScalingConfig, FunctionResponseTypes and FilterCriteria
// of the first such event, and of its queue the name, the visibility timeout, the delay,
// the retention, the redrive policy, and whether it is FIFO. !Ref of a parameter is its
// default; other functions of CloudFormation count as absent.
//
// With -queue, a function without such a template gets a queue with the defaults of SQS
// and Lambda, ReportBatchItemFailures, and a dead-letter queue after three receipts.
// -queue=orders.fifo names it, and a name that ends in .fifo makes it FIFO. The queue
// behaves as [queue.Queue] says. Each batch and each dead letter is a line on the
// console.
//
// The function's SQS client reaches the queue and its dead-letter queue by
// AWS_ENDPOINT_URL_SQS, which the command sets; without ~/.aws and AWS_PROFILE it also
// sets credentials, which can be any. An endpoint for SQS in -env wins.
//
// With a URL the command polls that queue, in AWS or in a server that imitates it, as
// Lambda would:
//
//	AWS_ENDPOINT_URL=http://127.0.0.1:5000 go run ./guard/local \
//		-queue http://127.0.0.1:5000/123456789012/orders ./examples/queue
//
// The SDK's own configuration says the credentials, the endpoint, and the region unless
// the URL does. Without an endpoint there, a host that is not AWS's is the endpoint, also
// for the function's SQS client. The mapping is that of the template, and the queue
// redrives by its own policy.
//
// With a queue and without routes there is no API: every other path is answered 404.
// With -queue=false the queue of the template is left out, and with -stream=false the
// stream.
//
// /_queue and /_stream refuse what a web page of another host sends, and a name in the URL
// that may be public: use an address, or localhost.
//
// # A stream
//
// If the SAM template beside the source has an event of the type Kinesis or DynamoDB, the
// function has that stream before it, in memory and with the event's mapping; see
// [stream.Stream]. With -stream it has one of Kinesis without a template.
//
//	go run ./guard/local ./examples/stream
//	curl -i 'http://127.0.0.1:8080/_stream?key=KB-101' -d '{"id":"m-1","warehouse":"main","sku":"KB-101","pieces":5}'
//	curl http://127.0.0.1:8080/_stream    # what became of the records
//
// POST /_stream puts the body as a record of the key. For the stream of a table the body is
// a change: {"dynamodb":{"Keys":…,"NewImage":…,"OldImage":…}}, and eventName if it is not to
// follow from the images. What the mapping discards is on the console, as the message that
// its destination would get. The stream ends with the command.
//
// # What the function sees
//
// The function sees the variables that Lambda sets, AWS_SAM_LOCAL=true, and these of
// the command's environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN, AWS_PROFILE, AWS_REGION (us-east-1 when unset), every
// AWS_ENDPOINT_URL*, HOME and TMPDIR. Others are not passed on; -env adds and overrides
// variables. The working directory is the package's folder, or the bootstrap's.
//
// Both functions start with the command, so what they print at their start is there
// before the first request.
//
// # Failures
//
// The client gets 502 when the function returns an error, panics, exits or answers out
// of form, and 504 when it overruns. The reason is on the console, beside the function's
// log. A process that ended or overran is replaced at the next request. On Linux a
// process that holds more than -memory is killed.
//
// # Ending
//
// On Ctrl-C, SIGTERM or SIGHUP the command takes no new requests and batches, and waits
// two seconds for the others. A batch that takes longer fails, so that its messages are
// visible again after their visibility timeout. What is left in a queue in memory ends
// with the command, which says how much that is. A queue at a URL has ten more seconds for
// what is to be deleted.
//
// Then it ends the function with its process group, removes what it built and exits with
// 0. As in Lambda, the function gets SIGTERM, half a second before SIGKILL, only if it
// registers an extension, as guard.OnShutdown does. A second Ctrl-C ends it at once.
//
// "go run" passes on Ctrl-C from a terminal, but not a SIGTERM sent to it alone: a
// script builds the command first and runs that.
//
// The exit status is 1 when the package does not build, the address is taken, or the
// answer to -event is an error or was not waited for. It is 2 for a wrong command line.
// With -event the answer, also an error's, is written to the standard output, and the
// function's log to the standard error.
package main
