// Package jmespath validates the part of an event that a JMESPath expression
// selects, for example the bodies of SQS messages, against a JSON Schema:
//
//	jmespath.At(jmespath.EnvelopeSQS, ordersSchema)
//
// It is a package of its own so that only functions that use an expression link
// the JMESPath library.
package jmespath

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
	"github.com/lambdarmor/lambdarmor/validate"
)

// At returns a middleware that validates the part of an event that expr selects.
// Places are relative to that part.
//
// Beside the functions of JMESPath there are powertools_json, which reads a
// string as strict JSON within the default [guard.Limits], powertools_base64,
// and powertools_base64_gzip, which decompresses up to 10 MiB of an event. An
// event with a text that they cannot read is refused. An event in which expr selects nothing
// or null is refused with the code nothing_selected.
//
// A projection such as Records[*].x leaves out elements where it finds nothing:
// these are not validated. One wrong record fails the whole batch; use
// [validate.Records] for batches.
//
// Numbers are validated as they were written. An expression that compares,
// calculates or calls a function of JMESPath works with float64. It refuses an
// event with a number that is not exactly a float64, with the code
// number_not_exact.
//
// At panics if expr is malformed or calls an unknown function.
//
// https://jmespath.org/specification.html
func At(expr string, s *validate.Schema, opts ...validate.Option) guard.Middleware {
	if s == nil {
		panic("validate/jmespath: At with a nil schema")
	}
	compiled, err := jmes.Compile(expr)
	if err != nil {
		panic(fmt.Sprintf("validate/jmespath: At %q: %v", expr, err))
	}
	calculates := calculates(compiled.Node)
	compiled.Convert = func(v any) (any, error) {
		if v == nil { // a projection would leave it out
			return nil, nothingSelected()
		}
		if calculates {
			return toFloats(v)
		}
		return v, nil
	}
	return layer.Named("validate/jmespath.At", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			tree, err := guard.EventOf(ctx, payload).Tree()
			if err != nil {
				return nil, err
			}
			selected, err := compiled.Search(tree)
			if err == nil && selected == nil {
				err = nothingSelected()
			}
			if err == nil && calculates {
				selected, err = fromFloats(selected)
			}
			if err == nil {
				err = s.Validate(selected, opts...)
			}
			if err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
}

func nothingSelected() error {
	return guard.Errorf(guard.Invalid, "nothing_selected", "The event lacks the part to validate, or it is null.")
}

// calculates reports whether an expression may look at numbers.
func calculates(node parsing.ASTNode) bool {
	switch node.NodeType {
	case parsing.ASTComparator, parsing.ASTArithmeticExpression, parsing.ASTArithmeticUnaryExpression:
		return true
	case parsing.ASTFunctionExpression:
		if name, _ := node.Value.(string); !jmes.Decodes(name) {
			return true
		}
	}
	return slices.ContainsFunc(node.Children, calculates)
}

// toFloats returns a copy of a tree with the numbers as JMESPath takes them.
func toFloats(tree any) (any, error) {
	return mapLeaves(tree, func(v any) (any, error) {
		number, ok := v.(json.Number)
		if !ok {
			return v, nil
		}
		f, err := number.Float64()
		if err != nil || !isExact(f, string(number)) {
			return nil, guard.Errorf(guard.Invalid, "number_not_exact", "The event has a number that cannot be compared exactly.")
		}
		return f, nil
	})
}

// fromFloats returns a copy of a tree with the numbers as a schema takes them.
func fromFloats(tree any) (any, error) {
	return mapLeaves(tree, func(v any) (any, error) {
		f, ok := v.(float64)
		if !ok {
			return v, nil
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, guard.Errorf(guard.Invalid, "number_not_exact", "The event has numbers whose result is not a number.")
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	})
}

func mapLeaves(v any, leaf func(any) (any, error)) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, inner := range v {
			if object[name], err = mapLeaves(inner, leaf); err != nil {
				return nil, err
			}
		}
		return object, nil
	case []any:
		array := make([]any, len(v))
		for i, inner := range v {
			if array[i], err = mapLeaves(inner, leaf); err != nil {
				return nil, err
			}
		}
		return array, nil
	default:
		return leaf(v)
	}
}

// isExact reports whether the shortest text of f is the number that was written.
func isExact(f float64, written string) bool {
	if len(written) > 512 { // a fraction of it takes too long to make
		return false
	}
	a, ok := new(big.Rat).SetString(written)
	b, okB := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && okB && a.Cmp(b) == 0
}
