// Package guardtest is the test kit for functions: Lambda and API Gateway in the
// test's own process, without Docker and without AWS.
//
// Three things run a function, and they are called alike ([Invoker]):
//
//   - [InProcess] calls a handler directly: quick, and the debugger stops in it.
//   - [Function] runs the binary that would be deployed, talking to it as Lambda
//     does: processes on demand, timeouts, deaths, logs.
//   - [Runtime] is only Lambda's end of that talk, for a process that the test
//     runs itself.
//
// [HTTPAPI] stands before any of them and makes events of HTTP requests, and
// HTTP responses of answers. A test of the whole way, from the client to the
// unmodified binary:
//
//	func TestOrders(t *testing.T) {
//		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{
//			Timeout: 5 * time.Second,
//			Env:     []string{"AWS_SAM_LOCAL=true"},
//		})
//		api, err := guardtest.NewHTTPAPI(fn, guardtest.HTTPAPIConfig{
//			Routes: []string{"POST /orders", "GET /orders/{id}"},
//		})
//		if err != nil {
//			t.Fatal(err)
//		}
//		server := httptest.NewServer(api)
//		defer server.Close()
//
//		response, err := http.Post(server.URL+"/orders", "application/json", strings.NewReader(`{"customer":"c-42"}`))
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer response.Body.Close()
//		if response.StatusCode != http.StatusBadRequest { // it orders nothing
//			t.Errorf("%s, and the function wrote\n%s", response.Status, fn.Log())
//		}
//	}
//
// An [Authorizer] before the API decides which requests reach the function, with
// API Gateway's rules and its cache; in front of a handler under test, or a
// naive one that shows what the function does with a context:
//
//	api, err := guardtest.NewHTTPAPI(fn, guardtest.HTTPAPIConfig{
//		Routes: []string{"GET /list-users", "GET /list-admins"},
//		Authorizer: &guardtest.Authorizer{
//			Function:        guardtest.NewInProcess(decide, guardtest.Config{}),
//			IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
//			TTL:             5 * time.Minute,
//			SimpleResponses: true,
//			Failed:          func(_ string, err error) { t.Error(err) },
//		},
//	})
//
// Instead of an Authorizer an API can have an [IAMAuthorizer], which verifies
// signatures, or a [JWTAuthorizer], which verifies tokens; a function URL the
// former. [RESTAPI] is a REST API, with a [RESTAuthorizer], an IAMAuthorizer or a
// [UserPoolAuthorizer]. [ALB] is an Application Load Balancer.
//
// The gateways read paths, escapes, methods, stages and base paths as the
// services do; the source of each rule stands beside it. Where public sources
// tell two things, a field of the configuration chooses. Not emulated are
// authorizers of single routes, policies of IAM's callers, signatures in the
// query, WebSocket APIs, usage plans, and certificates of clients.
//
// A failed invocation is a [*FunctionError] with Lambda's own type and words:
//
//	_, err := fn.Invoke(ctx, payload)
//	if failure := (*guardtest.FunctionError)(nil); errors.As(err, &failure) && failure.Type == guardtest.TypeExit {
//		// the process ended before it answered
//	}
//
// [Sample] has events of every trigger, to set by JSON pointer what a test is
// about; [HTTPEvent] builds those of HTTP requests. See [Event].
//
// Nothing a test starts outlives it: processes end with their group, and on
// Linux also when the test binary is killed.
package guardtest
