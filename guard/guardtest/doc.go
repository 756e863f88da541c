// Package guardtest runs Lambda functions in tests, without Docker and without
// AWS.
//
// Three types run a function. They are called alike, through [Invoker]:
//
//   - [InProcess] calls a handler in the test's own process. It is quick, and a
//     debugger stops in the handler.
//   - [Function] runs the binary that would be deployed, as Lambda does: it
//     starts processes on demand, enforces the timeout and keeps the log.
//   - [Runtime] serves Lambda's Runtime API for a process that the test runs
//     itself.
//
// The packages below it bring events to a function, as AWS does:
//
//   - Package gateway puts an API before it, and turns HTTP requests into events.
//   - Package source/queue calls it with the messages of an SQS queue.
//   - Package source/stream calls it with the records of Kinesis, DynamoDB or Kafka.
//   - Package source/async invokes it as S3, SNS and EventBridge do.
//   - Package source has the ledger and the clock that these three share.
//   - Package pattern decides what matches an event pattern or a filter.
//   - Package sample has an event of every trigger.
//
// A test of the whole way, from the client to the unmodified binary:
//
//	func TestOrders(t *testing.T) {
//		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{Env: []string{"AWS_SAM_LOCAL=true"}})
//		api := gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: []string{"POST /orders", "GET /orders/{id}"}})
//
//		got := api.Do("POST", "/orders", `{"customer":"c-42"}`)
//		if got.Status != http.StatusBadRequest { // it orders nothing
//			t.Errorf("%d %s, and the function wrote\n%s", got.Status, got.Body, fn.Log())
//		}
//	}
//
// External extensions run beside a Function: put their binaries into a folder, and name
// it in Config.Extensions. They have the Extensions API, the Telemetry API and the Logs
// API before it, and go through INIT, invocations and SHUTDOWN as in Lambda. Records
// for sandbox.localdomain are delivered to 127.0.0.1, where the extension listens.
//
// A failed invocation is a [*FunctionError] with Lambda's own type and words:
//
//	_, err := fn.Invoke(ctx, payload)
//	if failure := (*guardtest.FunctionError)(nil); errors.As(err, &failure) && failure.Type == guardtest.TypeExit {
//		// the process ended before it answered
//	}
//
// Nothing a test starts outlives it: processes end with their process group, and
// on Linux also when the test binary is killed.
package guardtest
