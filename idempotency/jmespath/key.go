package jmespath

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// Key returns what expr selects as the key: one value, or several in a list or
// an object. In an HTTP event, body is the decoded body if that is JSON.
//
// The error wraps [idempotency.ErrNoKey] if a selected part is missing, null or
// empty, and if a function in expr gets an argument of a wrong type. A text that
// powertools_json, powertools_base64 or powertools_base64_gzip cannot read has the
// code idempotency_key_malformed. Numbers
// are selected exactly as they were sent. They equal no literal, and functions
// do not take them as numbers; to_string takes them.
//
// Key panics if expr is malformed, or drops missing parts as [a, b][] and [a, b] | [*]
// do. It also panics if expr yields a key for an empty event, as a || 'none' and
// to_string(a) do: all requests without a would share one key. It checks only the whole
// key, so do not use a default for one part.
func Key(expr string) idempotency.KeyFunc {
	compiled, err := jmes.Compile(expr)
	if err != nil {
		panic(fmt.Sprintf("jmespath: Key %q: %v", expr, err))
	}
	if jmes.DropsParts(compiled.Node) {
		panic(fmt.Sprintf("jmespath: Key %q drops parts of the key that are missing", expr))
	}
	empties := []any{nil, map[string]any{}, map[string]any{"body": map[string]any{}}}
	if strings.Contains(expr, "powertools_") { // it may look into a text
		empties = append(empties, map[string]any{"body": "{}"})
	}
	for _, empty := range empties {
		if found, err := compiled.Search(empty); err == nil && keys.Complete(found) {
			panic(fmt.Sprintf("jmespath: Key %q finds a key in an empty event", expr))
		}
	}
	return func(_ context.Context, ev *guard.Event) (string, error) {
		tree, err := document(ev)
		if err != nil {
			return "", err
		}
		found, err := compiled.Search(tree)
		if err != nil {
			public := guard.Public(err)
			refuse := keys.Malformed
			if public.Code == "wrong_type" {
				refuse = keys.Missing
			}
			return "", fmt.Errorf("%w: jmespath: %q", refuse("The idempotency key cannot be made from the request. "+public.Detail), expr)
		}
		if !keys.Complete(found) {
			return "", keys.Missing("The request lacks a part of the idempotency key.")
		}
		key, err := canonicaljson.Marshal(found)
		if err != nil {
			return "", fmt.Errorf("jmespath: %q: %w", expr, err)
		}
		return string(key), nil
	}
}

// document returns the event, and an HTTP event with its body decoded.
func document(ev *guard.Event) (any, error) {
	tree, err := ev.Tree()
	if err != nil {
		return nil, err
	}
	event, ok := tree.(map[string]any)
	if !ok || !ev.Trigger().IsHTTP() {
		return tree, nil
	}
	body, err := ev.BodyTree()
	if err != nil {
		return tree, nil
	}
	event = maps.Clone(event) // the layers share the tree
	event["body"] = body
	return event, nil
}
