package idempotency

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
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
		return appendPart(b, "none"), nil
	}
	b = appendPart(b, who.Kind)
	for _, part := range who.Parts {
		b = appendPart(b, part)
	}
	return b, nil
}

// appendPrincipal appends who a layer further out has found out: the same as
// what a Lambda authorizer says, so that a function that begins to read that
// through such a layer keeps its keys.
func appendPrincipal(b []byte, who string) []byte {
	return appendPart(appendPart(b, "lambda"), who)
}
