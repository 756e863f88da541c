package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/answer"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/iampolicy"
)

// parseSimple reads {"isAuthorized":…,"context":{…}}: one word for every request.
func parseSimple(payload []byte) (*ruling, error) {
	r := &ruling{}
	var authorized *bool
	if err := decodeAnswer(payload, map[string]any{"isAuthorized": &authorized, "context": &r.context}); err != nil {
		return nil, err
	}
	if authorized == nil {
		return nil, errors.New("isAuthorized is not true or false, as a simple response requires")
	}
	r.allows = func(string) error {
		if *authorized {
			return nil
		}
		return errDenied
	}
	return r, nil
}

// parsePolicyAnswer reads {"principalId":…,"policyDocument":{…},"context":{…}}.
func parsePolicyAnswer(payload []byte) (*ruling, error) {
	r := &ruling{}
	var document json.RawMessage
	var usageKey *string
	if err := decodeAnswer(payload, map[string]any{
		"principalId": &r.principal, "policyDocument": &document, "context": &r.context, "usageIdentifierKey": &usageKey,
	}); err != nil {
		return nil, err
	}
	if r.principal == "" {
		return nil, errors.New("principalId is not a string, or is empty")
	}
	policy, err := iampolicy.Parse(document)
	if err != nil {
		return nil, fmt.Errorf("policyDocument: %w", err)
	}
	r.allows = func(arn string) error {
		return map[iampolicy.Decision]error{iampolicy.NotAllowed: errDenied, iampolicy.Denied: errDeniedExplicitly}[policy.Decide(arn)]
	}
	return r, nil
}

// decodeAnswer reads members by their exact names, as API Gateway does and a
// struct would not.
func decodeAnswer(payload []byte, into map[string]any) error {
	members := answer.Members(payload) // none of anything but an object
	for name, target := range into {
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, target); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// checkKeptContext refuses what an HTTP API cannot read back from its cache: a
// string that is a JSON object or array, although it took it from the authorizer.
// See https://github.com/mantil-io/mantil/issues/52
func checkKeptContext(r *ruling) error {
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
