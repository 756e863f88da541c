package powertools

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/interpreter"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// selection is a JMESPath that finds in Go what it finds in Python, numbers as
// they are written.
type selection struct {
	expr    parsing.ASTNode
	decodes bool // it has one of the functions of Powertools
	strict  bool // it makes lists or objects that it then goes on with
	std     interpreter.FunctionCaller
}

// mustSelect parses an expression, "" is all of the event.
func mustSelect(option, expr string) *selection {
	if expr == "" {
		expr = "@"
	}
	s := &selection{}
	var err error
	var shared []functions.FunctionEntry
	for _, f := range functions.GetDefaultFunctions() {
		if slices.Contains(alike, f.Name) {
			shared = append(shared, f)
		}
	}
	known := slices.Clone(shared)
	for name := range powertoolsFunctions {
		known = append(known, functions.FunctionEntry{Name: name, Arguments: make([]functions.ArgSpec, 1)})
	}
	if s.expr, err = parsing.NewParser().Parse(expr); err == nil {
		err = s.inspect(s.expr)
	}
	if err == nil {
		err = checkCalls(s.expr, known)
	}
	if err != nil {
		panic(fmt.Sprintf("powertools: %s %q: %v", option, expr, err))
	}
	s.strict = made(s.expr) > madeLast(s.expr)
	s.std = interpreter.NewFunctionCaller(shared...)
	return s
}

// alike are the functions of JMESPath that are the same in both languages and
// neither take nor give a number or an order of members.
var alike = []string{"join", "not_null", "starts_with", "ends_with"}

// inspect looks for what could find something else in Python.
func (s *selection) inspect(node parsing.ASTNode) error {
	switch node.NodeType {
	case parsing.ASTField, parsing.ASTIdentity, parsing.ASTCurrentNode, parsing.ASTIndex, parsing.ASTIndexExpression,
		parsing.ASTSlice, parsing.ASTProjection, parsing.ASTFilterProjection, parsing.ASTFlatten, parsing.ASTSubexpression,
		parsing.ASTPipe, parsing.ASTMultiSelectList, parsing.ASTMultiSelectHash, parsing.ASTKeyValPair,
		parsing.ASTOrExpression, parsing.ASTAndExpression, parsing.ASTNotExpression:
	case parsing.ASTLiteral:
		if hasNumber(node.Value) {
			return reason.New("a literal number may be another in Python")
		}
	case parsing.ASTComparator:
		equality := node.Value == parsing.TOKEQ || node.Value == parsing.TOKNE
		literal := slices.ContainsFunc(node.Children, func(n parsing.ASTNode) bool { return n.NodeType == parsing.ASTLiteral })
		if !equality || !literal {
			return reason.New("only == and != with a literal compare as in Python")
		}
	case parsing.ASTFunctionExpression:
		name, _ := node.Value.(string)
		_, decodes := powertoolsFunctions[name]
		if !decodes && !slices.Contains(alike, name) {
			return fmt.Errorf("the function %s is not known to be the same in Python", name)
		}
		s.decodes = s.decodes || decodes
	default:
		return reason.New("it has a part that is not known to be the same in Python")
	}
	for _, child := range node.Children {
		if err := s.inspect(child); err != nil {
			return err
		}
	}
	return nil
}

func hasNumber(v any) bool {
	switch v := v.(type) {
	case float64:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNumber)
	case map[string]any:
		for _, inner := range v {
			if hasNumber(inner) {
				return true
			}
		}
	}
	return false
}

// of gives what is found in an event, as it came: the body is text.
func (s *selection) of(ev *guard.Event) (any, error) {
	tree, err := ev.Tree()
	if err != nil {
		return nil, err
	}
	return s.in(tree)
}

func (s *selection) in(tree any) (any, error) {
	call := &selecting{std: s.std}
	found, err := interpreter.NewInterpreter(tree, call, nil).Execute(s.expr, tree)
	if call.err != nil { // a filter takes an error for null
		return nil, call.err
	}
	return found, err
}

// constant reports whether there is a key where there is nothing.
func (s *selection) constant() bool {
	nothings := []any{nil, map[string]any{}}
	if s.decodes { // which a text may be
		nothings = append(nothings, map[string]any{"body": "{}"})
	}
	return slices.ContainsFunc(nothings, func(nothing any) bool {
		found, err := s.in(nothing)
		return err == nil && s.whole(found)
	})
}

// selecting is one evaluation.
type selecting struct {
	std interpreter.FunctionCaller
	err error // the first one, of any function
}

// CallFunction implements [interpreter.FunctionCaller].
func (c *selecting) CallFunction(name string, args []any) (any, error) {
	value, err := c.call(name, args)
	if err != nil && c.err == nil {
		c.err = err
	}
	return value, err
}

func (c *selecting) call(name string, args []any) (any, error) {
	decode, own := powertoolsFunctions[name]
	if !own {
		value, err := c.std.CallFunction(name, args)
		if err != nil { // its text repeats values
			return nil, keys.Malformed("The request is not of the form that the idempotency key is made from.")
		}
		return value, nil
	}
	switch text := args[0].(type) {
	case nil:
		return nil, keys.Missing("The request lacks what the idempotency key is made from.")
	case string:
		value, err := decode(text)
		var refused *strictjson.Error
		switch {
		case errors.As(err, &refused):
			return nil, keys.Malformed("The idempotency key is made from a text of the request that is not JSON with one meaning.")
		case err != nil:
			return nil, keys.Malformed("The idempotency key is made from a text of the request that " + err.Error() + ".")
		}
		return value, nil
	default:
		return nil, keys.Malformed("The idempotency key is made from a text, where the request has something else.")
	}
}
