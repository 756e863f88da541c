package powertools

import (
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// isComplete reports whether no part of a key is missing, in the lists and objects
// that the expression makes. Within a part of the event null is an ordinary value,
// unless it is unclear which kind of null it is.
func isComplete(node parsing.ASTNode, found any) bool {
	children := node.Children
	switch node.NodeType {
	case parsing.ASTPipe, parsing.ASTSubexpression, parsing.ASTIndexExpression:
		last := len(children) - 1
		if slices.ContainsFunc(children[:last], jmes.MakesParts) {
			return keys.Complete(found)
		}
		return isComplete(children[last], found)
	case parsing.ASTMultiSelectList:
		parts, _ := found.([]any)
		for i, part := range parts {
			if !isComplete(children[i], part) {
				return false
			}
		}
		return len(parts) > 0
	case parsing.ASTMultiSelectHash:
		parts, _ := found.(map[string]any)
		for _, pair := range children {
			name, _ := pair.Value.(string)
			if !isComplete(pair.Children[0], parts[name]) {
				return false
			}
		}
		return len(parts) > 0
	case parsing.ASTProjection, parsing.ASTFilterProjection:
		list, _ := found.([]any)
		for _, element := range list {
			if !isComplete(children[1], element) {
				return false
			}
		}
		return len(list) > 0
	default:
		if jmes.MakesParts(node) {
			return keys.Complete(found)
		}
		return isKeyInPython(found)
	}
}

// isKeyInPython reports whether Python takes a value for a key: not null, not
// empty, and no list or object of nothing but null.
func isKeyInPython(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return element != nil })
	case map[string]any:
		for _, value := range v {
			if value != nil {
				return true
			}
		}
		return false
	default:
		return true
	}
}
