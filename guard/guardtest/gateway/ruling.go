package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// parseSimple reads {"isAuthorized":…,"context":{…}}: one word for every request.
func parseSimple(payload []byte) (*ruling, error) {
	members, told, err := answerMembers(payload)
	if err != nil {
		return nil, err
	}
	var authorized *bool
	if err := json.Unmarshal(memberOrNull(members, "isAuthorized"), &authorized); err != nil || authorized == nil {
		return nil, errors.New("isAuthorized is not true or false, as a simple response requires")
	}
	return &ruling{context: told, allows: func(string) error {
		if *authorized {
			return nil
		}
		return errDenied
	}}, nil
}

// parsePolicyAnswer reads {"principalId":…,"policyDocument":{…},"context":{…}}.
func parsePolicyAnswer(payload []byte) (*ruling, error) {
	members, told, err := answerMembers(payload)
	if err != nil {
		return nil, err
	}
	r := &ruling{context: told}
	if err := json.Unmarshal(memberOrNull(members, "principalId"), &r.principal); err != nil || r.principal == "" {
		return nil, errors.New("principalId is not a string that says who calls")
	}
	p, err := parsePolicy(memberOrNull(members, "policyDocument"))
	if err != nil {
		return nil, fmt.Errorf("policyDocument: %w", err)
	}
	r.allows = p.evaluate
	return r, nil
}

func answerMembers(payload []byte) (members, told map[string]json.RawMessage, err error) {
	if members = objectMembers(payload); members == nil {
		return nil, nil, errors.New("not a JSON object")
	}
	if err := json.Unmarshal(memberOrNull(members, "context"), &told); err != nil {
		return nil, nil, fmt.Errorf("context: %w", err)
	}
	return members, told, nil
}

func memberOrNull(members map[string]json.RawMessage, name string) json.RawMessage {
	if raw, ok := members[name]; ok {
		return raw
	}
	return json.RawMessage("null")
}

// checkCachedContext refuses what an HTTP API cannot read back from its cache: a
// string that is a JSON object or array, although it took it from the authorizer.
// See https://github.com/mantil-io/mantil/issues/52
func checkCachedContext(r *ruling) error {
	for name, raw := range r.context {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			continue
		}
		inner := bytes.TrimSpace([]byte(text))
		if len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') && json.Valid(inner) {
			return fmt.Errorf("gateway: the authorizer's answer, from the cache: context member %q is a string of JSON", name)
		}
	}
	return nil
}
