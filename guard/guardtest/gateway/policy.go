package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A policy is an IAM policy as an authorizer returns it.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policy []statement

type statement struct {
	deny      bool
	actions   []string
	resources []string
}

// invokeAction is what a request to an API needs.
const invokeAction = "execute-api:Invoke"

// maxResource is API Gateway's limit on a resource in an authorizer's policy, in
// characters. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResource = 512

// parsePolicy takes what evaluating needs: Effect, Action and Resource. All that
// would change the outcome besides, Condition, NotAction, NotResource, Principal
// and policy variables, is an error, for it is not emulated here.
func parsePolicy(raw json.RawMessage) (policy, error) {
	var document struct {
		Version   string
		Statement json.RawMessage
	}
	if err := decodeMembers(raw, map[string]any{"Version": &document.Version, "Statement": &document.Statement, "Id": new(string)}); err != nil {
		return nil, err
	}
	if v := document.Version; v != "" && v != "2012-10-17" && v != "2008-10-17" {
		return nil, fmt.Errorf("version %q is not one of IAM's", v)
	}
	list, err := oneOrMore[json.RawMessage](document.Statement)
	if err != nil {
		return nil, fmt.Errorf("its statements: %w", err)
	}
	var p policy
	for i, raw := range list {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i, err)
		}
		p = append(p, s)
	}
	return p, nil
}

func parseStatement(raw json.RawMessage) (s statement, err error) {
	var (
		effect           string
		action, resource json.RawMessage
	)
	if err := decodeMembers(raw, map[string]any{"Sid": new(string), "Effect": &effect, "Action": &action, "Resource": &resource}); err != nil {
		return s, err
	}
	if effect != "Allow" && effect != "Deny" {
		return s, fmt.Errorf("effect %q is neither Allow nor Deny", effect)
	}
	s.deny = effect == "Deny"
	if s.actions, err = oneOrMore[string](action); err != nil {
		return s, fmt.Errorf("its actions: %w", err)
	}
	if s.resources, err = oneOrMore[string](resource); err != nil {
		return s, fmt.Errorf("its resources: %w", err)
	}
	for _, resource := range s.resources {
		switch {
		case resource != "*" && !strings.HasPrefix(resource, "arn:"):
			return s, fmt.Errorf("resource %q is not an ARN", resource)
		case strings.Contains(resource, "${"):
			return s, fmt.Errorf("resource %q has a policy variable, which is not emulated", resource)
		case len([]rune(resource)) > maxResource:
			return s, fmt.Errorf("a Resource has more than %d characters", maxResource)
		}
	}
	return s, nil
}

// evaluate decides as IAM does: what is denied explicitly is denied, what is
// allowed and not denied is allowed, and all else is denied.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p policy) evaluate(arn string) error {
	outcome := errDenied
	for _, s := range p {
		if !s.covers(arn) {
			continue
		}
		if s.deny {
			return errDeniedExplicitly
		}
		outcome = nil
	}
	return outcome
}

func (s statement) covers(arn string) bool {
	invokes := func(action string) bool {
		return matchWildcards(strings.ToLower(action), strings.ToLower(invokeAction))
	}
	return slices.ContainsFunc(s.actions, invokes) &&
		slices.ContainsFunc(s.resources, func(resource string) bool { return matchWildcards(resource, arn) })
}

// arnFields is the number of an ARN's fields; the last may have colons in it.
const arnFields = 6

// matchWildcards takes * for any characters, slashes included, and ? for one.
// Neither goes beyond its field of the ARN, except a * at the field's end. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func matchWildcards(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	reached := make([]bool, len(t)+1) // reached[i]: p so far matches t[:i]
	reached[0] = true
	field := 1
	for i, c := range p {
		next := make([]bool, len(t)+1)
		last := field >= arnFields
		for j := range reached {
			switch {
			case c == '*':
				crosses := last || i == len(p)-1 || p[i+1] == ':'
				next[j] = reached[j] || j > 0 && next[j-1] && (crosses || t[j-1] != ':')
			case j > 0 && reached[j-1]:
				next[j] = c == t[j-1] || c == '?' && (last || t[j-1] != ':')
			}
		}
		if c == ':' {
			field++
		}
		reached = next
	}
	return reached[len(t)]
}

// decodeMembers knows names exactly, as IAM does, and no others.
func decodeMembers(raw json.RawMessage, into map[string]any) error {
	members := objectMembers(raw)
	if members == nil {
		return errors.New("not an object")
	}
	for name, value := range members {
		target, ok := into[name]
		if !ok {
			return fmt.Errorf("%q is not emulated", name)
		}
		if err := json.Unmarshal(value, target); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// oneOrMore reads what IAM takes for a list: one, or an array of at least one.
func oneOrMore[T any](raw json.RawMessage) ([]T, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, errors.New("missing")
	}
	if raw[0] != '[' {
		var one T
		err := json.Unmarshal(raw, &one)
		return []T{one}, err
	}
	var list []*T
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	values := make([]T, 0, len(list))
	for _, value := range list {
		if value == nil {
			return nil, errors.New("null in it")
		}
		values = append(values, *value)
	}
	if len(values) == 0 {
		return nil, errors.New("empty")
	}
	return values, nil
}
