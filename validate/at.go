package validate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// At lets an event through when s accepts what expr, a JMESPath, selects of it:
// one of the envelopes, or any other. Places are relative to what is selected.
//
// Beside the functions of JMESPath there are powertools_json, which reads a
// string as strict JSON within the default [guard.Limits], powertools_base64,
// and powertools_base64_gzip, which decompresses up to 10 MiB. What they cannot
// read refuses the event, wherever in the expression they stand; so does an
// expression that selects nothing, with code nothing_selected.
//
// A projection, like Records[*].x, leaves out the elements in which it finds
// nothing or null: those are not judged, and a record of a batch that is wrong
// fails the whole batch. [Records] is for batches.
//
// Numbers are judged as they were written. Comparisons, arithmetic and functions
// of JMESPath know only what a float64 holds: an event with any other number is
// refused where the expression has one of these, with code number_not_exact;
// so is one of which they make no number, as by a division by 0.
//
// An expression that cannot be parsed panics.
func At(expr string, s Schema, opts ...Option) guard.Middleware {
	c := newChecker("At", s, opts)
	sel, err := newSelector(expr)
	if err != nil {
		panic(fmt.Sprintf("validate: At %q: %v", expr, err))
	}
	return checking("validate.At", func(ctx context.Context, payload []byte) error {
		tree, err := guard.EventOf(ctx, payload).Tree()
		if err != nil {
			return err
		}
		selected, err := sel.of(tree)
		if err != nil {
			return err
		}
		return c.check(selected)
	})
}

// selector is a parsed expression.
type selector struct {
	expr    parsing.ASTNode
	numeric bool // it may look at numbers
	known   map[string]bool
	std     interpreter.FunctionCaller
}

func newSelector(expr string) (*selector, error) {
	node, err := parsing.NewParser().Parse(expr)
	if err != nil {
		return nil, err
	}
	std := functions.GetDefaultFunctions()
	known := map[string]bool{}
	for _, f := range std {
		known[f.Name] = true
	}
	sel := &selector{expr: node, std: interpreter.NewFunctionCaller(std...), known: known}
	return sel, sel.inspect(node)
}

// inspect looks for functions that there are none of, and for what looks at
// numbers.
func (sel *selector) inspect(node parsing.ASTNode) error {
	switch node.NodeType {
	case parsing.ASTComparator, parsing.ASTArithmeticExpression, parsing.ASTArithmeticUnaryExpression:
		sel.numeric = true
	case parsing.ASTFunctionExpression:
		name, _ := node.Value.(string)
		_, own := decoders[name]
		if !own && !sel.known[name] {
			return fmt.Errorf("there is no function %s", name)
		}
		if own && len(node.Children) != 1 {
			return fmt.Errorf("%s takes one argument", name)
		}
		sel.numeric = sel.numeric || !own
	}
	for _, child := range node.Children {
		if err := sel.inspect(child); err != nil {
			return err
		}
	}
	return nil
}

func (sel *selector) of(tree any) (any, error) {
	call := &call{selector: sel}
	tree, err := call.readable(tree)
	if err != nil {
		return nil, err
	}
	selected, ok := jmes.Evaluate(func() (any, error) {
		return interpreter.NewInterpreter(tree, call, nil).Execute(sel.expr, tree)
	})
	switch {
	case call.err != nil: // a projection takes an error for a null
		return nil, call.err
	case !ok:
		return nil, guard.Errorf(guard.Invalid, "wrong_type", "The event is not of the form that is selected from.")
	case selected == nil:
		return nil, guard.Errorf(guard.Invalid, "nothing_selected", "The event lacks what is to be validated.")
	case sel.numeric && !finite(selected):
		return nil, guard.Errorf(guard.Invalid, "number_not_exact", "The event has numbers of which none can be made.")
	}
	return selected, nil
}

// finite reports whether every number in a tree is one: 1/0 is none, and no
// schema can judge it.
func finite(tree any) bool {
	switch v := tree.(type) {
	case map[string]any:
		for _, inner := range v {
			if !finite(inner) {
				return false
			}
		}
	case []any:
		return !slices.ContainsFunc(v, func(inner any) bool { return !finite(inner) })
	case float64:
		return !math.IsInf(v, 0) && !math.IsNaN(v)
	}
	return true
}

// call is one evaluation of an expression.
type call struct {
	*selector
	err error // the first one, of any function
}

// CallFunction implements [interpreter.FunctionCaller].
func (c *call) CallFunction(name string, args []any) (any, error) {
	value, err := c.run(name, args)
	if err != nil && c.err == nil {
		c.err = err
	}
	return value, err
}

func (c *call) run(name string, args []any) (any, error) {
	decode, own := decoders[name]
	if !own {
		value, err := c.std.CallFunction(name, args)
		if err != nil { // its text repeats values
			return nil, guard.Errorf(guard.Invalid, "wrong_type", "The event is not of the form that is selected from.")
		}
		return value, nil
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, guard.Errorf(guard.Invalid, "wrong_type", "The event has no text where one is to be decoded.")
	}
	value, err := decode(text)
	if err != nil {
		return nil, err
	}
	return c.readable(value)
}

// readable gives the numbers of a tree the type that JMESPath knows, where the
// expression may look at them.
func (c *call) readable(tree any) (any, error) {
	if !c.numeric {
		return tree, nil
	}
	switch v := tree.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, inner := range v {
			inner, err := c.readable(inner)
			if err != nil {
				return nil, err
			}
			object[name] = inner
		}
		return object, nil
	case []any:
		array := make([]any, len(v))
		for i, inner := range v {
			inner, err := c.readable(inner)
			if err != nil {
				return nil, err
			}
			array[i] = inner
		}
		return array, nil
	case json.Number:
		f, err := v.Float64()
		if err == nil && bounded(string(v)) && exact(f, string(v)) {
			return f, nil
		}
		return nil, guard.Errorf(guard.Invalid, "number_not_exact", "The event has a number that cannot be compared exactly.")
	default:
		return tree, nil
	}
}

// exact reports whether the shortest text of f is the number that was written.
func exact(f float64, written string) bool {
	a, ok := new(big.Rat).SetString(written)
	if !ok {
		return false
	}
	b, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && a.Cmp(b) == 0
}
