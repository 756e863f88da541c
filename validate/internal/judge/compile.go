package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"regexp"
	"regexp/syntax"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Judge is a program that is ready to judge. It is safe for concurrent use.
type Judge struct {
	rules []rule
	seed  maphash.Seed
}

// rule is a schema with all that is computed once.
type rule struct {
	*program.Schema
	anything bool // the schema asks nothing
	shared   bool // more than one schema leads here, so that a value may come here twice

	constant, enum *set
	pattern        *pattern
	patterns       []pattern // of members, as Object.Patterns
	known          map[string]struct{}
	format         func(string) bool
	formatCost     int // in steps a byte
	limits         limits
}

// pattern is a regular expression with the steps that a byte costs.
type pattern struct {
	*regexp.Regexp
	instructions int
}

// New checks a program. formats are checked for strings in addition to the
// known ones, and in place of them.
func New(p *program.Program, formats map[string]func(string) bool) (*Judge, error) {
	if p == nil || p.Version != program.Version || len(p.Schemas) <= int(program.Root) {
		return nil, errors.New("the program is empty or of another version: generate it again")
	}
	c := &compiler{
		Judge:   &Judge{rules: make([]rule, len(p.Schemas)), seed: maphash.MakeSeed()},
		formats: formats,
		ways:    make([]int, len(p.Schemas)),
	}
	c.ways[program.Root] = 1
	for i := range p.Schemas {
		if err := c.rule(&c.rules[i], &p.Schemas[i]); err != nil {
			return nil, fmt.Errorf("the program has a schema that is not valid: %w", err)
		}
	}
	for i, n := range c.ways {
		c.rules[i].shared = n > 1
	}
	if c.appliesItself() {
		return nil, errors.New("a schema applies itself to its own value, without end")
	}
	return c.Judge, nil
}

type compiler struct {
	*Judge
	formats map[string]func(string) bool
	ways    []int // that lead to a schema
	err     error
}

func (c *compiler) rule(r *rule, s *program.Schema) (err error) {
	r.Schema = s
	inPlace, inside := references(s)
	for _, id := range append(inPlace, inside...) {
		if id < 0 || int(id) >= len(c.ways) {
			return fmt.Errorf("there is no schema %d", id)
		}
		c.ways[id]++
	}
	r.anything = !s.Never && s.Types == 0 && len(s.Const)+len(s.Enum) == 0 && s.Object == nil && s.Array == nil &&
		s.String == nil && s.Number == nil && s.Content == nil && len(inPlace)+len(inside) == 0
	if r.constant, err = c.set(s.Const); err != nil {
		return err
	}
	if r.enum, err = c.set(s.Enum); err != nil {
		return err
	}
	if o := s.Object; o != nil {
		r.known = make(map[string]struct{}, len(o.Members))
		for _, m := range o.Members {
			if m.Schema != 0 {
				r.known[m.Name] = struct{}{}
			}
		}
		for _, p := range o.Patterns {
			compiled, err := compilePattern(p.Pattern)
			if err != nil {
				return err
			}
			r.patterns = append(r.patterns, *compiled)
		}
	}
	if t := s.String; t != nil {
		if t.Pattern != "" {
			if r.pattern, err = compilePattern(t.Pattern); err != nil {
				return err
			}
		}
		r.formatCost = formatCost(t.Format)
		if r.format = c.formats[t.Format]; r.format == nil {
			r.format = format(t.Format)
		}
	}
	if n := s.Number; n != nil {
		r.limits, err = c.limits(n.Minimum, n.ExclusiveMinimum, n.Maximum, n.ExclusiveMaximum, n.MultipleOf)
	}
	return err
}

func compilePattern(text string) (*pattern, error) {
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	code, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	return &pattern{compiled, len(code.Inst)}, nil
}

func (c *compiler) number(text string) (decimal, error) {
	v, err := strictjson.Tree([]byte(text))
	number, ok := v.(json.Number)
	if err != nil || !ok || !bounded(text) {
		return decimal{}, fmt.Errorf("%q is not a number of at most %d digits", text, maxDigits)
	}
	return parse(string(number)), nil
}

func (c *compiler) set(texts []string) (*set, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	s := &set{values: make(map[uint64][]any, len(texts))}
	hasher := c.start(Limits{Steps: 1 << 30})
	for _, text := range texts {
		v, err := strictjson.Tree([]byte(text))
		if err != nil {
			return nil, err
		}
		sum := hasher.hash(v)
		s.types |= typeOf(v)
		s.values[sum] = append(s.values[sum], v)
	}
	return s, nil
}

// references returns the schemas that s applies to its own value and to values
// inside it.
func references(s *program.Schema) (inPlace, inside []program.ID) {
	inPlace = append(inPlace, s.Ref, s.Not, s.If, s.Then, s.Else)
	inPlace = append(inPlace, s.AllOf...)
	inPlace = append(inPlace, s.AnyOf...)
	inPlace = append(inPlace, s.OneOf...)
	inside = append(inside, s.UnevaluatedProperties, s.UnevaluatedItems)
	if o := s.Object; o != nil {
		inside = append(inside, o.Additional, o.Names)
		for _, m := range o.Members {
			inside = append(inside, m.Schema)
		}
		for _, p := range o.Patterns {
			inside = append(inside, p.Schema)
		}
		for _, d := range o.Dependent {
			inPlace = append(inPlace, d.Schema)
		}
	}
	if a := s.Array; a != nil {
		inside = append(append(inside, a.Items, a.Contains), a.Prefix...)
	}
	if s.Content != nil {
		inside = append(inside, s.Content.Schema)
	}
	return without0(inPlace), without0(inside)
}

func without0(ids []program.ID) []program.ID {
	kept := ids[:0]
	for _, id := range ids {
		if id != 0 {
			kept = append(kept, id)
		}
	}
	return kept
}

// appliesItself reports whether a schema leads back to itself for the same
// value.
func (c *compiler) appliesItself() bool {
	const open, done = 1, 2
	state := make([]int, len(c.rules))
	var visit func(id program.ID) bool
	visit = func(id program.ID) bool {
		if state[id] != 0 {
			return state[id] == open
		}
		state[id] = open
		inPlace, _ := references(c.rules[id].Schema)
		for _, sub := range inPlace {
			if visit(sub) {
				return true
			}
		}
		state[id] = done
		return false
	}
	for id := range c.rules {
		if visit(program.ID(id)) {
			return true
		}
	}
	return false
}
