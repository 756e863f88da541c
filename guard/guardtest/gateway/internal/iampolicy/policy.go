// Package iampolicy evaluates the IAM policies that authorizers return, as API
// Gateway does.
package iampolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Policy is an IAM policy as an authorizer returns it.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Policy []statement

type statement struct {
	deny      bool
	actions   []string
	resources []string
}

// A Decision is the result of evaluating a policy for a request.
type Decision int

// Decisions. A request that is neither allowed nor denied is not allowed.
const (
	NotAllowed Decision = iota
	Allowed
	Denied
)

// invokeAction is the action that a request to an API needs, in lower case.
const invokeAction = "execute-api:invoke"

// maxResource is API Gateway's limit on a resource in an authorizer's policy, in
// characters. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResource = 512

// Parse reads Effect, Action and Resource. Condition, NotAction, NotResource,
// Principal and policy variables, which would change the outcome, are not emulated:
// they are errors.
func Parse(raw json.RawMessage) (Policy, error) {
	var version string
	var statements json.RawMessage
	if err := decodeMembers(raw, map[string]any{"Version": &version, "Statement": &statements, "Id": new(string)}); err != nil {
		return nil, err
	}
	if version != "" && version != "2012-10-17" && version != "2008-10-17" {
		return nil, fmt.Errorf("version %q is not one of IAM's", version)
	}
	list, err := oneOrMore[json.RawMessage](statements)
	if err != nil {
		return nil, fmt.Errorf("its statements: %w", err)
	}
	var p Policy
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
		case utf8.RuneCountInString(resource) > maxResource:
			return s, fmt.Errorf("a Resource has more than %d characters", maxResource)
		}
	}
	return s, nil
}

// Decide evaluates as IAM does: an explicit deny wins over any allow.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p Policy) Decide(arn string) Decision {
	decision := NotAllowed
	for _, s := range p {
		switch {
		case !s.covers(arn):
		case s.deny:
			return Denied
		default:
			decision = Allowed
		}
	}
	return decision
}

func (s statement) covers(arn string) bool {
	return slices.ContainsFunc(s.actions, func(action string) bool { return matchWildcards(strings.ToLower(action), invokeAction) }) &&
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
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
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
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, errors.New("missing")
	case raw[0] != '[':
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	var list []*T
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("empty")
	}
	var values []T
	for _, value := range list {
		if value == nil {
			return nil, errors.New("null in it")
		}
		values = append(values, *value)
	}
	return values, nil
}
