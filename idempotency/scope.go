package idempotency

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/content"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// storedKey returns the key of a record. Requests that differ in function,
// operation, caller, tenant or key have different stored keys. For [Do], ev is nil.
func (c *config) storedKey(ctx context.Context, ev *guard.Event, key string) (string, error) {
	parts := append(make([]string, 0, 12), "lambdarmor idempotency 1", c.function)
	parts, err := c.addOperation(parts, ev)
	if err != nil {
		return "", err
	}
	if parts, err = c.addCaller(ctx, parts, ev); err != nil {
		return "", err
	}
	tenant := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		tenant = lc.TenantID
	}
	return content.Sum(append(parts, tenant, key)...), nil
}

// addOperation adds the operation: a kind, which fixes the number of texts, and the
// texts.
func (c *config) addOperation(to []string, ev *guard.Event) ([]string, error) {
	switch {
	case ev == nil:
		return append(to, "do", c.name), nil
	case c.name != "":
		return append(to, "name", c.name), nil
	case ev.Trigger() == guard.AppSync:
		event, err := content.ObjectOf(ev)
		info, _ := event["info"].(content.Object)
		parent, _ := info["parentTypeName"].(string)
		field, _ := info["fieldName"].(string)
		return append(to, "field", parent, field), err
	case !ev.Trigger().IsHTTP():
		return append(to, "event"), nil
	}
	req, err := ev.Request()
	if err != nil {
		return nil, err
	}
	if route := req.RouteKey(); route != "" && route != "$default" {
		return append(to, "route", route), nil
	}
	return append(to, "path", req.Method(), req.RawPath()), nil
}

// addCaller adds the caller: a kind and texts.
func (c *config) addCaller(ctx context.Context, to []string, ev *guard.Event) ([]string, error) {
	if c.scope != nil {
		scope, err := c.scope(ctx, ev)
		if err != nil {
			return nil, fmt.Errorf("idempotency: scope: %w", err)
		}
		if scope == "" {
			return nil, reason.New("idempotency: Scope returned an empty text")
		}
		return append(to, "scope", scope), nil
	}
	if ev == nil {
		return append(to, "none"), nil
	}
	if t := ev.Trigger(); !t.IsHTTP() && t != guard.WebSocket && t != guard.AppSync {
		return append(to, "none"), nil
	}
	if who := guard.Principal(ctx); who != "" {
		return append(to, "lambda", who), nil // as if a Lambda authorizer had said so
	}
	return addEventCaller(to, ev)
}

// addEventCaller adds the caller that the gateway has authenticated. If there is
// none, or several users share it, a hash of the credentials separates callers. An
// authorizer's context without a principal is an error: callers would share keys.
func addEventCaller(to []string, ev *guard.Event) ([]string, error) {
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
			return append(to, "credentials", sent), nil
		}
		return append(to, "none"), nil
	}
	to = append(append(to, who.Kind), who.Parts...)
	if sent := credentials(req, "authorization", "cookie"); who.Shared && sent != "" {
		to = append(to, "credentials", sent)
	}
	return to, nil
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
	return content.Sum(sent...)
}
