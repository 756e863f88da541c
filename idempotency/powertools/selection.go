package powertools

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// selection is a JMESPath that finds in Go what it finds in Python, numbers as
// they are written.
type selection struct {
	*jmes.Expression
	decodes bool // it has one of the functions of Powertools
	strict  bool // it makes lists or objects that it then goes on with
}

// mustSelect parses an expression, "" is all of the event.
func mustSelect(option, expr string) *selection {
	if expr == "" {
		expr = "@"
	}
	compiled, err := jmes.Compile(expr)
	s := &selection{Expression: compiled}
	if err == nil {
		err = s.inspect(compiled.Node)
	}
	if err != nil {
		panic(fmt.Sprintf("powertools: %s %q: %v", option, expr, err))
	}
	s.strict = made(s.Node) > madeLast(s.Node)
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
		decodes := jmes.Decodes(name)
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
	found, err := s.Search(tree)
	switch {
	case errors.Is(err, jmes.ErrNoText):
		return nil, keys.Missing("The request lacks what the idempotency key is made from.")
	case err != nil:
		return nil, keys.Malformed("The idempotency key cannot be made from the request: " + guard.Public(err).Detail)
	}
	return found, nil
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
