package idempotency

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// storedKey returns the key of a record. Requests that differ in function,
// operation, caller, tenant or key have different ones. For [Do], ev is nil.
func (c *config) storedKey(ctx context.Context, ev *guard.Event, key string) (string, error) {
	operation, err := c.operation(ev)
	if err != nil {
		return "", err
	}
	caller, err := c.caller(ctx, ev)
	if err != nil {
		return "", err
	}
	tenant := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		tenant = lc.TenantID
	}
	return hash(slices.Concat([]string{"lambdarmor idempotency 1", c.function}, operation, caller, []string{tenant, key})...), nil
}

// operation returns what the key is for. The first text is its kind, which fixes
// the number of the others.
func (c *config) operation(ev *guard.Event) ([]string, error) {
	switch {
	case ev == nil:
		return []string{"do", c.name}, nil
	case c.name != "":
		return []string{"name", c.name}, nil
	case ev.Trigger() == guard.AppSync:
		event, err := objectOf(ev)
		info, _ := event["info"].(object)
		parent, _ := info["parentTypeName"].(string)
		field, _ := info["fieldName"].(string)
		return []string{"field", parent, field}, err
	case !ev.Trigger().IsHTTP():
		return []string{"event"}, nil
	}
	req, err := ev.Request()
	if err != nil {
		return nil, err
	}
	if route := req.RouteKey(); route != "" && route != "$default" {
		return []string{"route", route}, nil
	}
	return []string{"path", req.Method(), req.RawPath()}, nil
}

// caller returns whose key it is.
func (c *config) caller(ctx context.Context, ev *guard.Event) ([]string, error) {
	if c.scope != nil {
		scope, err := c.scope(ctx, ev)
		if err != nil {
			return nil, fmt.Errorf("idempotency: scope: %w", err)
		}
		if scope == "" {
			return nil, reason.New("idempotency: Scope returned an empty text")
		}
		return []string{"scope", scope}, nil
	}
	if ev == nil {
		return []string{"none"}, nil
	}
	if t := ev.Trigger(); !t.IsHTTP() && t != guard.WebSocket && t != guard.AppSync {
		return []string{"none"}, nil
	}
	if who := guard.Principal(ctx); who != "" {
		return []string{"lambda", who}, nil // as if a Lambda authorizer had said so
	}
	return eventCaller(ev)
}

// eventCaller returns who the gateway has authenticated. If that is nobody, or an
// application that several users share, a hash of the credentials keeps callers
// apart. An authorizer that says something but not who is an error: its callers
// would share keys.
func eventCaller(ev *guard.Event) ([]string, error) {
	req, err := ev.Request()
	if ev.Trigger() == guard.AppSync { // is no HTTP request, and has to be strict all the same
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
		if sent := credentials(req, "authorization", "cookie", "x-api-key"); sent != "" {
			return []string{"credentials", sent}, nil
		}
		return []string{"none"}, nil
	}
	caller := append([]string{who.Kind}, who.Parts...)
	if sent := credentials(req, "authorization", "cookie"); who.Shared && sent != "" {
		caller = append(caller, "credentials", sent)
	}
	return caller, nil
}

// credentials returns a hash of headers, or "" if all are empty.
func credentials(req *request.Request, headers ...string) string {
	sent := make([]string, len(headers))
	found := false
	for i, name := range headers {
		sent[i] = req.Header(name)
		found = found || sent[i] != ""
	}
	if !found {
		return ""
	}
	return hash(sent...)
}
