package authorizer

// Request is a request as an authorizer sees it, whichever of API Gateway's
// events it came in.
type Request struct{}
