package idempotency

import (
	"bytes"
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
)

// appendContent appends what an event asks for, without what differs from one
// delivery of it, or one publication, to the next: times, ids, receipts, counts.
func appendContent(b []byte, ev *guard.Event) ([]byte, error) {
	trigger := ev.Trigger()
	if answersHTTP(trigger) {
		return appendRequest(b, ev)
	}
	if !hasEnvelope(trigger) {
		return appendCanonical(appendPart(b, "event"), ev.Raw()), nil
	}
	event, err := tree(ev)
	if err != nil {
		return nil, err
	}
	content, err := canonicaljson.Marshal(contentOf(trigger, event))
	if err != nil { // a number that has no canonical form
		return append(appendPart(b, trigger), ev.Raw()...), nil
	}
	return append(appendPart(b, trigger), content...), nil
}

func appendRequest(b []byte, ev *guard.Event) ([]byte, error) {
	req, err := ev.Request()
	if err != nil {
		return nil, err
	}
	body, err := ev.Body()
	if err != nil {
		return nil, err
	}
	b = appendPart(appendPart(b, "http"), req.Method())
	b = appendPart(appendPart(b, req.RawPath()), req.RawQuery())
	return appendCanonical(b, body), nil
}

// appendCanonical appends the canonical form of a JSON text, and any other as
// it is.
func appendCanonical(b []byte, text []byte) []byte {
	if out, err := canonicaljson.Append(appendPart(b, "json"), text); err == nil {
		return out
	}
	return append(appendPart(b, "bytes"), text...)
}

// appendField appends the name of the field that AppSync resolves.
func appendField(b []byte, ev *guard.Event) []byte {
	event, _ := tree(ev) // one that is malformed has been refused
	info, _ := event["info"].(object)
	for _, name := range []string{"parentTypeName", "fieldName"} {
		text, _ := info[name].(string)
		b = appendPart(b, text)
	}
	return b
}

func tree(ev *guard.Event) (object, error) {
	v, err := ev.Tree()
	event, _ := v.(object)
	return event, err
}

func sqsRecords(ev *guard.Event) ([]map[string]any, error) {
	event, err := tree(ev)
	if err != nil {
		return nil, err
	}
	list, _ := event["Records"].([]any)
	records := make([]map[string]any, len(list))
	for i, r := range list {
		records[i], _ = r.(map[string]any)
	}
	return records, nil
}

// isEmpty reports whether nothing in an event tells it from another.
func isEmpty(ev *guard.Event) (bool, error) {
	text := ev.Raw()
	switch t := ev.Trigger(); {
	case answersHTTP(t):
		var err error
		if text, err = ev.Body(); err != nil {
			return false, err
		}
	case t == guard.SQS:
		records, err := sqsRecords(ev)
		return len(records) == 0, err
	case t == guard.EventBridge: // one of a schedule says nothing
		event, err := tree(ev)
		if err != nil {
			return false, err
		}
		if text, err = canonicaljson.Marshal(event["detail"]); err != nil { // a number that has no canonical form
			return false, nil
		}
	case t == guard.AppSync:
		event, err := tree(ev)
		arguments, _ := event["arguments"].(map[string]any)
		return len(arguments) == 0 && event["source"] == nil, err
	}
	switch string(bytes.TrimSpace(text)) {
	case "", "null", "{}", "[]", `""`:
		return true, nil
	default:
		return false, nil
	}
}

// takeFingerprint hashes what has to be equal in a repeat.
func (c *config) takeFingerprint(ctx context.Context, ev *guard.Event) (string, error) {
	if c.fingerprint != nil {
		text, err := c.fingerprint(ctx, ev)
		if err != nil {
			return "", fmt.Errorf("idempotency: fingerprint: %w", err)
		}
		if text == "" {
			return "", nil
		}
		return digest([]byte(text)), nil
	}
	return hash(&c.scratches, func(b []byte) ([]byte, error) {
		return appendContent(b, ev)
	})
}
