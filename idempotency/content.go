package idempotency

import (
	"bytes"
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
)

// takeFingerprint returns a hash of what has to be equal in a repeat, or "".
func (c *config) takeFingerprint(ctx context.Context, ev *guard.Event) (string, error) {
	if c.fingerprint == nil {
		return contentHash(ev)
	}
	text, err := c.fingerprint(ctx, ev)
	if err != nil {
		return "", fmt.Errorf("idempotency: fingerprint: %w", err)
	}
	if text == "" {
		return "", nil
	}
	return hash(text), nil
}

// contentHash returns a hash of what an event asks for, without what differs
// between two deliveries or publications of it.
func contentHash(ev *guard.Event) (string, error) {
	t := ev.Trigger()
	if t.IsHTTP() {
		req, err := ev.Request()
		if err != nil {
			return "", err
		}
		body, err := ev.Body()
		if err != nil {
			return "", err
		}
		return hash("http", req.Method(), req.RawPath(), req.RawQuery(), canonical(body)), nil
	}
	if !hasEnvelope(t) {
		return hash("event", canonical(ev.Raw())), nil
	}
	event, err := objectOf(ev)
	if err != nil {
		return "", err
	}
	content, err := canonicaljson.Marshal(contentOf(t, event))
	if err != nil { // a number that has no canonical form
		content = ev.Raw()
	}
	return hash(string(t), string(content)), nil
}

// canonical returns a JSON text in its canonical form, and any other text as it
// is, each marked with its kind.
func canonical(text []byte) string {
	out := append(make([]byte, 0, 16+2*len(text)), "json "...) // room to sort members
	out, err := canonicaljson.Append(out, text)
	if err != nil {
		out = append([]byte("bytes "), text...)
	}
	return string(out)
}

// object is a JSON object.
type object = map[string]any

func objectOf(ev *guard.Event) (object, error) {
	tree, err := ev.Tree()
	event, _ := tree.(object)
	return event, err
}

// isEmpty reports whether an event contains that distinguishes it from others.
func isEmpty(ev *guard.Event) (bool, error) {
	text := ev.Raw()
	switch t := ev.Trigger(); t {
	case guard.SQS, guard.EventBridge, guard.AppSync:
		event, err := objectOf(ev)
		switch t {
		case guard.SQS:
			return isBlank(event["Records"]), err
		case guard.EventBridge: // one of a schedule has no detail
			return isBlank(event["detail"]), err
		default:
			return isBlank(event["arguments"]) && event["source"] == nil, err
		}
	default:
		if t.IsHTTP() {
			var err error
			if text, err = ev.Body(); err != nil {
				return false, err
			}
		}
	}
	switch string(bytes.TrimSpace(text)) {
	case "", "null", "{}", "[]", `""`:
		return true, nil
	default:
		return false, nil
	}
}

func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case object:
		return len(v) == 0
	default:
		return false
	}
}
