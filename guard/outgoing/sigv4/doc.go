// Package sigv4 signs HTTP requests with AWS Signature Version 4, for what IAM protects:
// API Gateway, function URLs and VPC Lattice.
//
//	const host = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
//
//	client := &http.Client{Transport: sigv4.Transport(nil, cfg.Credentials, cfg.Region, "execute-api", host)}
//
// The services are
//
//	execute-api         API Gateway: HTTP API, REST API, WebSocket API
//	lambda              function URLs
//	vpc-lattice-svcs    VPC Lattice, which takes no hash of the body
//
// The function's role needs the permission: execute-api:Invoke, lambda:InvokeFunctionUrl
// with lambda:InvokeFunction, or vpc-lattice-svcs:Invoke. Clients of the AWS SDK sign
// by themselves.
//
// # What is signed
//
// The method, the path, the query, a hash of the body, and the headers Host,
// Content-Length, Content-Type and X-Amz-*. No other header is signed, because a proxy or
// another transport may add or change it, and then the service refuses the request: such
// as Accept-Encoding, traceparent or X-Forwarded-For. All headers are protected by TLS.
//
// The time of the signature is that of the wall clock when the request is sent, also
// after the process was frozen. Services accept five minutes to either side. Nothing
// corrects a clock that is wrong: Lambda keeps it right.
//
// # Path and query
//
// The path is signed as SigV4 asks of all services but S3: each segment is escaped
// twice, once for the request and once more for the signature. To leave no room between
// the two, the request is sent with all characters escaped but letters, digits and
// "-._~". "/a:b" goes out as "/a%3Ab", which is the same path to a server that decodes
// it. Escapes that the path has, such as %2F, stay.
//
// A path with an empty segment, "." or ".." is refused. AWS documents that a service
// resolves them before it verifies, AWS SDKs differ in whether they do.
//
// The query is sent in its order, in the same escapes: a space is %20 and not "+".
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package sigv4
