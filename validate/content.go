package validate

import (
	"context"
	"encoding/base64"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// contentKeywords asserts contentEncoding, contentMediaType and contentSchema.
// The library's own reading of them has no limits, takes JSON that is not
// strict, and panics at a number beyond its powers.
type contentKeywords struct{}

func (contentKeywords) Compile(ctx jsonschema.CompilerContext, m map[string]any) (jsonschema.ExtSchema, error) {
	encoding, _ := m["contentEncoding"].(string)
	media, _ := m["contentMediaType"].(string)
	rule := &contentRule{base64: encoding == "base64", json: media == "application/json"}
	if !rule.base64 && !rule.json {
		return nil, nil
	}
	// An encoding that is not known leaves nothing to look into.
	rule.json = rule.json && (rule.base64 || encoding == "")
	if _, ok := m["contentSchema"]; ok && rule.json {
		schema, err := ctx.Compile("contentSchema", false)
		if err != nil {
			return nil, err
		}
		rule.schema = schema
		// The schema is not complete before the whole document is.
		rule.inner = sync.OnceValue(func() *checker { return newChecker("contentSchema", schema, nil) })
	}
	return rule, nil
}

type contentRule struct {
	base64, json bool
	schema       *jsonschema.Schema // nil without a contentSchema
	inner        func() *checker    // of schema
}

// contentOf gives the rule for the content of strings that s has, nil for none.
func contentOf(s *jsonschema.Schema) *contentRule {
	rule, _ := s.Extensions["content"].(*contentRule)
	return rule
}

// contentSchema is what s sets on the JSON in a string, nil for nothing.
func contentSchema(s *jsonschema.Schema) *jsonschema.Schema {
	if rule := contentOf(s); rule != nil {
		return rule.schema
	}
	return nil
}

func (rule *contentRule) Validate(ctx jsonschema.ValidationContext, v any) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	content, err := rule.decode(text)
	if err != nil {
		return ctx.Error("contentEncoding", "not base64")
	}
	if !rule.json {
		return nil
	}
	tree, err := treeOf(content)
	if err != nil {
		return ctx.Error("contentMediaType", "not JSON")
	}
	if rule.inner != nil && rule.inner().check(tree) != nil {
		return ctx.Error("contentSchema", "not as its schema has it")
	}
	return nil
}

func (rule *contentRule) decode(text string) ([]byte, error) {
	if rule.base64 {
		return base64.StdEncoding.DecodeString(text)
	}
	return []byte(text), nil
}

// tree reads the JSON in a string.
func (rule *contentRule) tree(text string) (any, error) {
	content, err := rule.decode(text)
	if err != nil {
		return nil, err
	}
	return treeOf(content)
}

// treeOf reads a text that came inside of another, strictly and within the
// default limits. The error is a [*guard.Error].
func treeOf(text []byte) (any, error) {
	return guard.EventOf(context.Background(), text).Tree()
}
