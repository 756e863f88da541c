// Command local runs a Lambda function on this machine, unmodified, behind an
// HTTP API: no Docker, no cloud, no SAM.
//
//	go run ./guard/local [flags] <package or bootstrap>
//
// The argument is a package, built as for Lambda's OS-only runtimes
// (go build -tags lambda.norpc, with the GOFLAGS and GOTOOLCHAIN of the
// environment), or a file that has been built. It runs as a real process that
// talks to Lambda's Runtime API; requests become events of an HTTP API of API
// Gateway, and its answers become responses.
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
//
//	-authorizer         a package or bootstrap that decides which requests reach the function
//	-identity           its identity sources, comma-separated: '$request.header.Authorization,$context.routeKey'
//	-ttl                how long its answers are kept by the identity sources, up to 1h; 0, not at all
//	-authorizer-format  of its events and answers: simple or policy, which are 2.0, or 1.0; simple
//
// # Routes
//
// Without -route, the routes are those that a SAM template beside the function's
// source gives it, as events of the type HttpApi, and $default behind them, so
// that what the function makes of any other request is to be seen as well.
// Without a template $default is all there is.
//
// # An authorizer
//
// With -authorizer a second function stands before the first, as a Lambda
// authorizer of an HTTP API does: identity sources, the cache and the answers
// are those of [gateway.Authorizer].
//
//	go run ./guard/local -authorizer ./examples/authorizer \
//		-identity '$request.header.Authorization,$context.routeKey' -ttl 300s ./examples/orders
//	curl -i http://127.0.0.1:8080/orders/42                                # 401, nobody is asked
//	curl -i http://127.0.0.1:8080/orders/42 -H 'Authorization: Bearer x'   # 403, or 200 with a token that it takes
//
// A route key tells routes apart only where there are any: without routes it is
// $default for every request.
//
// The authorizer runs as one process, which takes one request at a time; its
// lines begin with "authorizer: ".
// It sees the same variables as the function, and has 10 seconds for a request.
// When it fails, overruns or answers out of form, the caller gets 500, as from
// API Gateway, and the reason is on the console. A process that ended is replaced
// at the next request.
//
// # What the function sees
//
// The variables that Lambda sets, AWS_SAM_LOCAL=true, and of this command's own
// environment AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
// AWS_PROFILE, AWS_REGION (us-east-1 when unset), every AWS_ENDPOINT_URL*, HOME
// and TMPDIR. Nothing else passes, so that a function does not come to lean on
// this machine; -env adds to these and overrides them. The working directory is
// the package's folder, or the bootstrap's.
//
// Both functions start with the command, so that what they print at their start
// is there before the first request.
//
// # Failures
//
// A function that returns an error, panics, exits or answers out of form gives
// the caller 502, one that overruns 504. The reason is on the console beside the
// function's log. A process that ended or overran is replaced at the next request.
// On Linux a process that holds more than -memory is killed; elsewhere it is
// only told the figure.
//
// # Ending
//
// On Ctrl-C, SIGTERM or SIGHUP the command takes no new requests, gives those under
// way two seconds, ends the function with its process group (SIGTERM, then
// SIGKILL), removes what it built and exits with 0. A second Ctrl-C ends it at
// once. "go run" passes on Ctrl-C from a terminal, but not a SIGTERM sent to
// itself alone: a script builds the command first and runs that.
//
// The exit status is 1 when the package does not build, the address is taken
// or the answer to -event is an error or was not waited for, and 2 for a wrong
// command line. With -event the answer, also an error's, goes to the standard
// output, and the function's log to the standard error.
package main
