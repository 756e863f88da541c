// Package content extracts the content of an event, without the ids, times and
// counters that differ between two deliveries or publications of it.
package content

import (
	"bytes"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
)

// Hash returns a hash of the content of an event. It is the same for every delivery
// or publication of it.
func Hash(ev *guard.Event) (string, error) {
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
		return Sum("http", req.Method(), req.RawPath(), req.RawQuery(), Canonical(body)), nil
	}
	if !hasEnvelope(t) {
		return Sum("event", Canonical(ev.Raw())), nil
	}
	event, err := ObjectOf(ev)
	if err != nil {
		return "", err
	}
	content, err := canonicaljson.Marshal(contentOf(t, event))
	if err != nil { // a number that has no canonical form
		content = ev.Raw()
	}
	return Sum(string(t), string(content)), nil
}

// Canonical returns a JSON text in its canonical form, and any other text as it
// is, each marked with its kind.
func Canonical(text []byte) string {
	out := append(make([]byte, 0, 16+2*len(text)), "json "...) // room to sort members
	out, err := canonicaljson.Append(out, text)
	if err != nil {
		out = append([]byte("bytes "), text...)
	}
	return string(out)
}

// Object is a JSON object.
type Object = map[string]any

// ObjectOf returns an event that is an object, nil for another one.
func ObjectOf(ev *guard.Event) (Object, error) {
	tree, err := ev.Tree()
	event, _ := tree.(Object)
	return event, err
}

// IsEmpty reports whether an event contains that distinguishes it from others.
func IsEmpty(ev *guard.Event) (bool, error) {
	text := ev.Raw()
	switch t := ev.Trigger(); t {
	case guard.SQS, guard.EventBridge, guard.AppSync:
		event, err := ObjectOf(ev)
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
	case Object:
		return len(v) == 0
	default:
		return false
	}
}
