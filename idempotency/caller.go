package idempotency

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// appendCaller appends who sent the request, as the gateway has authenticated
// it. Requests of which the gateway says nothing, or an application at most, but
// which carry credentials, are kept apart by a hash of those. An authorizer that
// says something, but not who, is an error: callers that the handler can tell
// apart would have one name space.
func appendCaller(b []byte, ev *guard.Event) ([]byte, error) {
	req, err := ev.Request()
	if ev.Trigger() == guard.AppSync { // no HTTP request, and has to be strict all the same
		_, err = ev.Tree()
	}
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
	if sent, found := credentials(req, "authorization", "cookie"); who.Shared && found {
		b = appendPart(appendPart(b, "credentials"), digest(sent))
	}
	return b, nil
}

// appendCredentials appends a hash of what the handler may tell callers apart by.
// A request that carries nothing of the kind has no caller.
func appendCredentials(b []byte, req *request.Request) []byte {
	sent, found := credentials(req, "authorization", "cookie", "x-api-key")
	if !found {
		return appendPart(b, "none")
	}
	return appendPart(appendPart(b, "credentials"), digest(sent))
}

// credentials returns the values of headers, and whether there are any.
func credentials(req *request.Request, headers ...string) (sent []byte, found bool) {
	for _, name := range headers {
		value := req.Header(name)
		sent = appendPart(sent, value)
		found = found || value != ""
	}
	return sent, found
}

// appendPrincipal appends who a layer further out has found out: the same as
// what a Lambda authorizer says, so that a function that begins to read that
// through such a layer keeps its keys.
func appendPrincipal(b []byte, who string) []byte {
	return appendPart(appendPart(b, "lambda"), who)
}
