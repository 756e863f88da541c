package idempotency

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// appendCaller appends who sent the request, as the gateway has authenticated
// it. Requests of which the gateway says nothing, but which carry credentials,
// are kept apart by a hash of those. An authorizer that says something, but not
// who, is an error: callers that the handler can tell apart would have one name
// space.
func appendCaller(b []byte, ev *guard.Event) ([]byte, error) {
	req, err := ev.Request()
	if err != nil {
		return nil, err
	}
	who, err := req.Caller()
	if err != nil {
		return nil, fmt.Errorf("idempotency: %w: set a Scope", err)
	}
	if who.Kind == "" {
		return appendCredentials(b, req), nil
	}
	b = appendPart(b, who.Kind)
	for _, part := range who.Parts {
		b = appendPart(b, part)
	}
	return b, nil
}

// appendCredentials appends a hash of what the handler may tell callers apart by.
// A request that carries nothing of the kind has no caller.
func appendCredentials(b []byte, req *request.Request) []byte {
	var sent []byte
	found := false
	for _, name := range []string{"authorization", "cookie", "x-api-key"} {
		value := req.Header(name)
		sent = appendPart(sent, value)
		found = found || value != ""
	}
	if !found {
		return appendPart(b, "none")
	}
	return appendPart(appendPart(b, "credentials"), digest(sent))
}

// appendPrincipal appends who a layer further out has found out: the same as
// what a Lambda authorizer says, so that a function that begins to read that
// through such a layer keeps its keys.
func appendPrincipal(b []byte, who string) []byte {
	return appendPart(appendPart(b, "lambda"), who)
}
