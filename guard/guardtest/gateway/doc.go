// Package gateway simulates API Gateway, a function URL or a load balancer in front
// of a Lambda function, for tests.
//
// [HTTPAPI], [RESTAPI] and [ALB] are an [net/http.Handler] each. They turn a
// request into the event that the service sends, call the function, and turn its
// answer into a response. An HTTPAPI can be a function URL as well.
//
// An authorizer of the API decides which requests reach the function, with the
// service's rules and its cache. [Authorizer] and [RESTAuthorizer] call a Lambda
// function, [IAMAuthorizer] verifies signatures, and [JWTAuthorizer] and
// [UserPoolAuthorizer] verify tokens.
//
//	api, err := gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{
//		Routes: []string{"GET /list-users", "GET /list-admins"},
//		Authorizer: &gateway.Authorizer{
//			Function:        guardtest.NewInProcess(decide, guardtest.Config{}),
//			IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
//			TTL:             5 * time.Minute,
//			SimpleResponses: true,
//		},
//	})
//
// Paths, escapes, methods, stages and base paths are read as the services read
// them. The source of each rule stands beside it. Where public sources disagree,
// a field of the configuration chooses. Not emulated are authorizers of single
// routes, policies of IAM's callers, signatures in the query, WebSocket APIs,
// usage plans and client certificates.
package gateway
