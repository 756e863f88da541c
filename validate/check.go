package validate

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// checker holds a schema and what bounds and explains its verdicts.
type checker struct {
	schema  Schema
	options options

	compiled *jsonschema.Schema // schema, nil when it is another library's
	rule     *rule              // of compiled
	perValue uint64             // checks that one value can cost at most
	unique   bool               // has uniqueItems somewhere
	work     func() *work       // made when an instance may be too costly
	index    func() *index      // made when an instance is refused
}

func newChecker(layer string, s Schema, opts []Option) *checker {
	c := &checker{schema: s, options: options{violations: defaultViolations, checks: defaultChecks}}
	for _, opt := range opts {
		opt(&c.options)
	}
	compiled, ok := s.(*jsonschema.Schema)
	if s == nil || ok && compiled == nil {
		panic("validate: " + layer + " with a nil schema")
	}
	if ok {
		c.compiled = compiled
		g := newGraph(compiled)
		c.rule = &rule{beyond: true} // a way without an end is the library's to notice
		if !g.leadsBack() {
			c.rule = rules{}.of(compiled)
		}
		c.perValue = g.checksPerValue()
		c.unique = slices.ContainsFunc(g.all, func(s *jsonschema.Schema) bool { return s.UniqueItems })
		c.work = sync.OnceValue(func() *work { return newWork(g) })
		c.index = sync.OnceValue(func() *index { return newIndex(g) })
	}
	return c
}

// check judges a tree. The error is a [*guard.Error] of kind Invalid that
// repeats no value of it.
func (c *checker) check(tree any) error {
	m := measure(tree)
	if m.far {
		far := violations.List{Max: c.options.violations}
		farNumbers(tree, "", func(pointer string) { far.Add(pointer, "", farDetail) })
		return far.Err()
	}
	if c.compiled != nil {
		if c.tooCostly(tree, m) {
			return guard.Errorf(guard.Invalid, "validation_too_costly", "The input takes more checks than are made for one.")
		}
		if c.rule.accepts(tree) {
			return nil
		}
	}
	err := c.schema.Validate(tree)
	if err == nil {
		return nil
	}
	return c.explain(tree, err)
}

func (c *checker) tooCostly(tree any, m measurement) bool {
	limit := uint64(c.options.checks)
	units := uint64(m.nodes + m.nodes/membersPerCheck + m.text/scannedPerCheck)
	if c.unique { // each value may be compared with each
		units *= 1 + uint64(m.nodes)/equalsPerCheck
	}
	if c.perValue <= limit && times(units, weight(m.longest)) <= limit/c.perValue {
		return false
	}
	return c.work().exceeds(tree, limit)
}

// explain turns the error of a schema into one that may be shown.
func (c *checker) explain(tree any, err error) error {
	var own *guard.Error
	if errors.As(err, &own) {
		return own
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		r := reading{tree: tree, places: violations.List{Max: c.options.violations}}
		if c.compiled != nil {
			r.index = c.index()
		}
		r.read(invalid)
		// Whether it is refused is not for the places to say: there may be none
		// where the library's pointer leads past a member without a name.
		if err := r.places.Err(); err != nil {
			return err
		}
	} else if c.compiled != nil { // a loop in the schema, or a tree that is none
		return fmt.Errorf("validate: %w", err)
	}
	return guard.Errorf(guard.Invalid, "validation_failed", "The input breaks a rule.")
}
