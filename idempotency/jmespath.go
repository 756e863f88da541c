package idempotency

import (
	"context"
	"fmt"
	"maps"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// JMESPath makes what expr finds the key: a value, or several in a list or an
// object. In an HTTP event body is the decoded body where it is JSON, so that
// it is reached into as in
//
//	idempotency.JMESPath("[body.customer, body.order]")
//
// Any part that is missing, null or empty makes the key incomplete: the error
// wraps [ErrNoKey]. So it does where a function is given what it does not take.
// Numbers are there to be selected, exactly as they are: they equal no literal
// and are no numbers to functions; to_string takes them.
//
// JMESPath panics if the expression is malformed, or yields a key for an empty
// event, as a || 'none' and to_string(a) do: all requests that lack a would have
// the same key, and the answer of the first. It does not see that of one part of
// several: give none of them a value for when it is missing.
//
// https://jmespath.org/specification.html
func JMESPath(expr string) KeyFunc {
	compiled, err := jmes.Compile(expr)
	if err != nil {
		panic(fmt.Sprintf("idempotency: JMESPath %q: %v", expr, err))
	}
	for _, nothing := range []any{nil, map[string]any{}, map[string]any{"body": map[string]any{}}} {
		if found, err := compiled.Search(nothing); err == nil && whole(found) {
			panic(fmt.Sprintf("idempotency: JMESPath %q finds a key in an empty event", expr))
		}
	}
	return func(_ context.Context, ev *guard.Event) (string, error) {
		tree, err := document(ev)
		if err != nil {
			return "", err
		}
		found, err := compiled.Search(tree)
		if err != nil {
			return "", fmt.Errorf("%w: JMESPath %q on a value of another type", noKey("The idempotency key cannot be made from the request."), expr)
		}
		if !whole(found) {
			return "", noKey("The request lacks a part of the idempotency key.")
		}
		key, err := canonicaljson.Marshal(found)
		if err != nil {
			return "", fmt.Errorf("idempotency: JMESPath %q: %w", expr, err)
		}
		return string(key), nil
	}
}

// document is what an expression is evaluated on.
func document(ev *guard.Event) (any, error) {
	tree, err := ev.Tree()
	if err != nil {
		return nil, err
	}
	event, ok := tree.(map[string]any)
	if !ok || !answersHTTP(ev.Trigger()) {
		return tree, nil
	}
	body, err := ev.BodyTree()
	if err != nil {
		return tree, nil
	}
	event = maps.Clone(event)
	event["body"] = body
	return event, nil
}

// whole reports whether every part of a key is there.
func whole(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		for _, part := range v {
			if !whole(part) {
				return false
			}
		}
		return len(v) > 0
	case map[string]any:
		for _, part := range v {
			if !whole(part) {
				return false
			}
		}
		return len(v) > 0
	default:
		return true
	}
}
