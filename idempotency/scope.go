package idempotency

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// storedKey makes the key of a record: two functions, operations, callers,
// tenants or keys never have the same. An operation of [Do] has no event.
func (c *config) storedKey(ctx context.Context, ev *guard.Event, key string) (string, error) {
	return hash(&c.scratches, func(b []byte) ([]byte, error) {
		b = append(b, "lambdarmor idempotency 1\n"...)
		b = appendPart(b, c.function)
		b = c.appendOperation(b, ev)
		b, err := c.appendScope(ctx, b, ev)
		if err != nil {
			return nil, err
		}
		tenant := ""
		if lc, ok := lambdacontext.FromContext(ctx); ok {
			tenant = lc.TenantID
		}
		b = appendPart(b, tenant)
		return appendPart(b, key), nil
	})
}

// appendOperation appends the name, the route of an HTTP request, or the field
// that AppSync resolves. Behind a route that takes all paths it is the method and
// the path.
func (c *config) appendOperation(b []byte, ev *guard.Event) []byte {
	switch {
	case ev == nil:
		return appendPart(appendPart(b, "do"), c.name)
	case c.name != "":
		return appendPart(appendPart(b, "name"), c.name)
	case ev.Trigger() == guard.AppSync:
		return appendField(appendPart(b, "field"), ev)
	case !answersHTTP(ev.Trigger()):
		return appendPart(b, "event")
	}
	req, err := ev.Request()
	if err != nil { // the key has been read, so this does not happen
		return appendPart(b, "unknown")
	}
	if req.RouteKey() != "" && req.RouteKey() != "$default" {
		return appendPart(appendPart(b, "route"), req.RouteKey())
	}
	b = appendPart(appendPart(b, "path"), req.Method())
	return appendPart(b, req.RawPath())
}

func (c *config) appendScope(ctx context.Context, b []byte, ev *guard.Event) ([]byte, error) {
	if c.scope != nil {
		scope, err := c.scope(ctx, ev)
		if err != nil {
			return nil, fmt.Errorf("idempotency: scope: %w", err)
		}
		if scope == "" {
			return nil, reason.New("idempotency: the scope is empty")
		}
		return appendPart(appendPart(b, "scope"), scope), nil
	}
	if ev == nil || !hasCaller(ev.Trigger()) {
		return appendPart(b, "none"), nil
	}
	if who := guard.Principal(ctx); who != "" {
		return appendPrincipal(b, who), nil
	}
	return appendCaller(b, ev)
}

// hasCaller reports whether an event comes from a caller that the gateway may
// have authenticated.
func hasCaller(t guard.Trigger) bool {
	return t.IsHTTP() || t == guard.WebSocket || t == guard.AppSync
}

// answersHTTP reports whether an event is an HTTP request, read as one, and its
// answer has a status. A message over a WebSocket, which httpapi answers too, is
// no request that [guard.Event.Request] reads.
func answersHTTP(t guard.Trigger) bool { return t.IsHTTP() }
