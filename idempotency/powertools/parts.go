package powertools

import (
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
)

// whole reports whether every part is there that the expression asks for. What
// stands within a part of the event is a value like another, null or not,
// unless it cannot be told from a part.
func (s *selection) whole(found any) bool {
	return wholeOf(s.Node, found) && (!s.strict || keys.Complete(found))
}

func wholeOf(node parsing.ASTNode, found any) bool {
	switch node.NodeType {
	case parsing.ASTPipe, parsing.ASTSubexpression, parsing.ASTIndexExpression:
		return wholeOf(last(node), found)
	case parsing.ASTMultiSelectList:
		parts, _ := found.([]any)
		for i, part := range parts {
			if !wholeOf(node.Children[i], part) {
				return false
			}
		}
		return len(parts) > 0
	case parsing.ASTMultiSelectHash:
		parts, _ := found.(map[string]any)
		for _, pair := range node.Children {
			name, _ := pair.Value.(string)
			if !wholeOf(pair.Children[0], parts[name]) {
				return false
			}
		}
		return len(parts) > 0
	case parsing.ASTProjection, parsing.ASTFilterProjection:
		list, _ := found.([]any)
		for _, element := range list {
			if !wholeOf(node.Children[1], element) {
				return false
			}
		}
		return len(list) > 0
	default:
		return something(found)
	}
}

func last(node parsing.ASTNode) parsing.ASTNode { return node.Children[len(node.Children)-1] }

// made counts the lists and objects that an expression makes.
func made(node parsing.ASTNode) int {
	n := 0
	if node.NodeType == parsing.ASTMultiSelectList || node.NodeType == parsing.ASTMultiSelectHash {
		n = 1
	}
	for _, child := range node.Children {
		n += made(child)
	}
	return n
}

// madeLast counts those of them that are, or are in, what it finds: wholeOf
// looks at their parts.
func madeLast(node parsing.ASTNode) int {
	switch node.NodeType {
	case parsing.ASTPipe, parsing.ASTSubexpression, parsing.ASTIndexExpression:
		return madeLast(last(node))
	case parsing.ASTProjection, parsing.ASTFilterProjection:
		return madeLast(node.Children[1])
	case parsing.ASTMultiSelectList, parsing.ASTMultiSelectHash:
		n := 1
		for _, child := range node.Children {
			n += madeLast(child)
		}
		return n
	case parsing.ASTKeyValPair:
		return madeLast(node.Children[0])
	default:
		return 0
	}
}

// something reports whether Python would take a value for a key: one that is
// null, empty, or a list or an object of nothing but null it would not.
func something(v any) bool {
	isThere := func(v any) bool { return v != nil }
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return slices.ContainsFunc(v, isThere)
	case map[string]any:
		for _, inner := range v {
			if isThere(inner) {
				return true
			}
		}
		return false
	default:
		return true
	}
}
