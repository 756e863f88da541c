// Package jmes evaluates JMESPath expressions on events. It is the only user
// of the JMESPath library, and has the one table of functions.
package jmes

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
)

// ErrNoText is the cause of an error of [Expression.Search] if a text to decode is
// missing or null.
var ErrNoText = errors.New("jmes: there is no text to decode")

// Expression is a parsed JMESPath. It is safe for concurrent use.
type Expression struct {
	// Node is the syntax tree.
	Node parsing.ASTNode
	// Convert, if set, is applied to the event before the evaluation, and to
	// decoded texts.
	Convert func(any) (any, error)

	standard interpreter.FunctionCaller
}

// Compile parses an expression. A call that fails on every event is an error:
// of an unknown function, or with the wrong number of arguments.
//
// https://jmespath.org/specification.html
func Compile(expr string) (*Expression, error) {
	node, err := parsing.NewParser().Parse(expr)
	if err != nil {
		return nil, err
	}
	standard := functions.GetDefaultFunctions()
	arguments := map[string][]functions.ArgSpec{}
	for _, f := range standard {
		arguments[f.Name] = f.Arguments
	}
	for name := range decoders {
		arguments[name] = make([]functions.ArgSpec, 1)
	}
	if err := checkCalls(node, arguments); err != nil {
		return nil, err
	}
	return &Expression{Node: node, standard: interpreter.NewFunctionCaller(standard...)}, nil
}

func checkCalls(node parsing.ASTNode, arguments map[string][]functions.ArgSpec) error {
	if node.NodeType == parsing.ASTFunctionExpression {
		name, _ := node.Value.(string)
		specs, ok := arguments[name]
		if !ok {
			return fmt.Errorf("there is no function %s", name)
		}
		if !takes(specs, len(node.Children)) {
			return fmt.Errorf("%s does not take %d arguments", name, len(node.Children))
		}
	}
	for _, child := range node.Children {
		if err := checkCalls(child, arguments); err != nil {
			return err
		}
	}
	return nil
}

func takes(specs []functions.ArgSpec, n int) bool {
	required, variadic := 0, false
	for _, spec := range specs {
		if !spec.Optional {
			required++
		}
		variadic = variadic || spec.Variadic
	}
	return n >= required && (n <= len(specs) || variadic)
}

// Search evaluates the expression on a tree as [guard.Event.Tree] returns it.
// The error is a [*guard.Error] of kind Invalid that contains no value. It is the
// first error of any function, also in a filter, where JMESPath would treat it as
// null.
func (e *Expression) Search(tree any) (found any, err error) {
	s := &search{expression: e}
	defer func() { // contains panics where it compares two lists
		if recover() != nil {
			found, err = nil, cmp.Or(s.err, errType())
		}
	}()
	if tree, err = s.convert(tree); err != nil {
		return nil, err
	}
	found, err = interpreter.NewInterpreter(tree, s, nil).Execute(e.Node, tree)
	if err != nil || s.err != nil {
		return nil, cmp.Or(s.err, errType())
	}
	return found, nil
}

func errType() error {
	return guard.Errorf(guard.Invalid, "wrong_type", "The event has a value of another type than the expression takes.")
}

// search is one evaluation.
type search struct {
	expression *Expression
	err        error // the first one, of any function
	unpacked   int64 // bytes of compressed texts
}

// CallFunction implements [interpreter.FunctionCaller].
func (s *search) CallFunction(name string, args []any) (any, error) {
	value, err := s.call(name, args)
	s.err = cmp.Or(s.err, err)
	return value, err
}

func (s *search) call(name string, args []any) (any, error) {
	decode, ok := decoders[name]
	if !ok {
		value, err := s.expression.standard.CallFunction(name, args)
		if err != nil { // its text repeats values
			return nil, errType()
		}
		return value, nil
	}
	if args[0] == nil {
		return nil, guard.Errorf(guard.Invalid, "wrong_type", "The event lacks a text to decode.", ErrNoText)
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, guard.Errorf(guard.Invalid, "wrong_type", "The event has another value in place of a text to decode.")
	}
	value, err := decode(s, text)
	if err != nil {
		return nil, err
	}
	return s.convert(value)
}

func (s *search) convert(value any) (any, error) {
	if s.expression.Convert == nil {
		return value, nil
	}
	return s.expression.Convert(value)
}
