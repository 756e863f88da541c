package schema

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/program"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

func (s *sources) schema(root string, opts []Option) (*validate.Schema, error) {
	_, compiled, err := s.compile(root, opts)
	return compiled, err
}

// compile translates the library's compiled schema.
func (s *sources) compile(root string, opts []Option) (p *program.Program, compiled *validate.Schema, err error) {
	var o options
	for _, opt := range opts {
		opt.set(&o)
	}
	defer func() { // the library expects a schema to be as its meta-schema requires
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			p, compiled, err = nil, nil, fmt.Errorf("validate/schema: %s: %w", root, err)
		}
	}()
	parsed, err := s.library(root)
	if err != nil {
		return nil, nil, err
	}
	if p, err = translate(parsed, s, o); err != nil {
		return nil, nil, err
	}
	compiled, err = validate.New(p, o.formats...)
	if err != nil {
		return nil, nil, err
	}
	return p, compiled, nil
}

// library compiles the schema with jsonschema/v5.
func (s *sources) library(root string) (*jsonschema.Schema, error) {
	if _, err := s.parse(root); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat, c.AssertContent = true, true
	c.LoadURL = s.load
	parsed, err := c.Compile(urlOf(root))
	if err != nil {
		return nil, s.explain(err)
	}
	return parsed, nil
}

// explain returns the error of a schema, with its place.
func (s *sources) explain(err error) error {
	var failed *jsonschema.SchemaError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	place, message := unescape(invalid.InstanceLocation), strings.ReplaceAll(invalid.Message, prefix, "")
	if strings.Contains(message, "regex") {
		message += "; patterns are RE2, which has neither look-around nor back-references"
	}
	return fmt.Errorf("%q: %s", place, message)
}

// unescape turns a pointer of the library into one in which nothing is escaped.
func unescape(location string) string {
	if plain, err := url.PathUnescape(location); err == nil {
		location = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(location)
}
