package jmes

import (
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/parsing"
)

// MakesParts reports whether an expression makes a list or an object.
func MakesParts(node parsing.ASTNode) bool {
	return node.NodeType == parsing.ASTMultiSelectList || node.NodeType == parsing.ASTMultiSelectHash ||
		slices.ContainsFunc(node.Children, MakesParts)
}

// DropsParts reports whether a missing part of what an expression makes gets lost:
// a projection leaves out null.
func DropsParts(node parsing.ASTNode) bool {
	made := false
	switch node.NodeType {
	case parsing.ASTPipe, parsing.ASTSubexpression, parsing.ASTIndexExpression:
		for _, child := range node.Children {
			if made && projects(child) {
				return true
			}
			made = made || MakesParts(child)
		}
	default:
		if isProjection(node) && MakesParts(node.Children[0]) {
			return true
		}
	}
	return slices.ContainsFunc(node.Children, DropsParts)
}

func projects(node parsing.ASTNode) bool {
	return isProjection(node) || slices.ContainsFunc(node.Children, projects)
}

func isProjection(node parsing.ASTNode) bool {
	switch node.NodeType {
	case parsing.ASTProjection, parsing.ASTFilterProjection, parsing.ASTValueProjection:
		return true
	default:
		return false
	}
}
