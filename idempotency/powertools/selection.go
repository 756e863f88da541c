package powertools

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// selection is an expression that finds the same in Go and in Python.
type selection struct {
	*jmes.Expression
	decodes bool // it may look into a text
}

// mustSelect panics if an expression might find something else in Python. An
// expression of "" selects the whole event.
func mustSelect(caller, expr string) selection {
	if expr == "" {
		expr = "@"
	}
	compiled, err := jmes.Compile(expr)
	if err == nil {
		err = checkPortable(compiled.Node)
	}
	if err != nil {
		panic(fmt.Sprintf("powertools: %s %q: %v", caller, expr, err))
	}
	return selection{Expression: compiled, decodes: strings.Contains(expr, "powertools_")}
}

// of returns the selected value of an event, whose body is text. The error contains
// no value.
func (s selection) of(ev *guard.Event) (any, error) {
	tree, err := ev.Tree()
	if err != nil {
		return nil, err
	}
	return s.in(tree)
}

func (s selection) in(tree any) (any, error) {
	found, err := s.Search(tree)
	switch {
	case errors.Is(err, jmes.ErrNoText):
		return nil, keys.Missing("The request lacks what the idempotency key is made from.")
	case err != nil:
		return nil, keys.Malformed("The idempotency key cannot be made from the request. " + guard.Public(err).Detail)
	}
	return found, nil
}

// isConstant reports whether there is a key in an empty event.
func (s selection) isConstant() bool {
	empties := []any{nil, map[string]any{}}
	if s.decodes {
		empties = append(empties, map[string]any{"body": "{}"})
	}
	return slices.ContainsFunc(empties, func(empty any) bool {
		found, err := s.in(empty)
		return err == nil && isComplete(s.Node, found)
	})
}

// checkPortable refuses what might find something else in Python.
func checkPortable(node parsing.ASTNode) error {
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
		// The functions that neither take nor return a number or an order of
		// members, and the functions of Powertools.
		name, _ := node.Value.(string)
		if !slices.Contains([]string{"join", "not_null", "starts_with", "ends_with"}, name) && !jmes.Decodes(name) {
			return fmt.Errorf("the function %s is not known to be the same in Python", name)
		}
	default:
		return reason.New("it has a part that is not known to be the same in Python")
	}
	for _, child := range node.Children {
		if err := checkPortable(child); err != nil {
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
