package validate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

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
	*jmes.Expression
	numeric bool // it may look at numbers
}

func newSelector(expr string) (*selector, error) {
	compiled, err := jmes.Compile(expr)
	if err != nil {
		return nil, err
	}
	sel := &selector{Expression: compiled, numeric: numeric(compiled.Node)}
	sel.Convert = func(v any) (any, error) {
		if v == nil { // a projection would leave it out
			return nil, guard.Errorf(guard.Invalid, "nothing_selected", "The event has null where a value is to be validated.")
		}
		if !sel.numeric {
			return v, nil
		}
		return readable(v)
	}
	return sel, nil
}

// numeric reports whether an expression may look at numbers.
func numeric(node parsing.ASTNode) bool {
	switch node.NodeType {
	case parsing.ASTComparator, parsing.ASTArithmeticExpression, parsing.ASTArithmeticUnaryExpression:
		return true
	case parsing.ASTFunctionExpression:
		if name, _ := node.Value.(string); !jmes.Decodes(name) {
			return true
		}
	}
	return slices.ContainsFunc(node.Children, numeric)
}

func (sel *selector) of(tree any) (any, error) {
	selected, err := sel.Search(tree)
	switch {
	case err != nil:
		return nil, err
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

// readable gives the numbers of a tree the type that JMESPath knows, where the
// expression may look at them.
func readable(tree any) (any, error) {
	switch v := tree.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, inner := range v {
			inner, err := readable(inner)
			if err != nil {
				return nil, err
			}
			object[name] = inner
		}
		return object, nil
	case []any:
		array := make([]any, len(v))
		for i, inner := range v {
			inner, err := readable(inner)
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
