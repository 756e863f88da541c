package validate

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/validate/internal/judge"
	"github.com/lambdarmor/lambdarmor/validate/program"
)

// Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct {
	program *program.Program
	judge   *judge.Judge
}

// New returns the schema of a program that schemagen has written. An error
// means that the program has to be generated again.
func New(p *program.Program, formats ...Format) (*Schema, error) {
	own := make(map[string]func(string) bool, len(formats))
	for _, f := range formats {
		own[f.Name] = f.Valid
	}
	j, err := judge.New(p, own)
	if err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	return &Schema{program: p, judge: j}, nil
}

// MustNew is like [New] but panics if there is an error.
func MustNew(p *program.Program, formats ...Format) *Schema {
	s, err := New(p, formats...)
	if err != nil {
		panic(err)
	}
	return s
}

// Format is a format for strings, in addition to the known ones or in place of
// one. An unknown format accepts every string, as the drafts require.
type Format struct {
	Name  string
	Valid func(string) bool
}

// Validate reports whether the schema accepts a tree as [guard.Event.Tree]
// returns it. The error is a [*guard.Error] of kind Invalid with the code
// validation_failed or validation_too_costly. A value of any other type in the tree
// is an error too.
//
// [guard.Event.Tree]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/guard#Event.Tree
// [*guard.Error]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/guard#Error
func (s *Schema) Validate(tree any, opts ...Option) error {
	return newChecker("Validate", s, opts).check(tree)
}

// Option changes how an input is validated.
type Option struct{ set func(*options) }

type options struct{ limits judge.Limits }

// MaxViolations sets how many places an error lists, 20 if it is not set. It
// panics if n is below 1.
func MaxViolations(n int) Option {
	if n < 1 {
		panic("validate: MaxViolations below 1")
	}
	return Option{func(o *options) { o.limits.Violations = n }}
}

// MaxSteps limits the work on one input to n steps of up to 0.1 µs each, and
// to 2 500 000 if it is not set. It panics if n is below 1.
func MaxSteps(n int) Option {
	if n < 1 {
		panic("validate: MaxSteps below 1")
	}
	return Option{func(o *options) { o.limits.Steps = n }}
}

// checker is a schema with its limits.
type checker struct {
	*Schema
	limits judge.Limits
}

func newChecker(layer string, s *Schema, opts []Option) checker {
	if s == nil {
		panic("validate: " + layer + " with a nil schema")
	}
	o := options{judge.Limits{Violations: 20, Steps: 2_500_000}}
	for _, opt := range opts {
		opt.set(&o)
	}
	return checker{s, o.limits}
}

func (c checker) check(tree any) error { return c.judge.Check(tree, c.limits) }
