package jmespath

import (
	"fmt"
	"slices"

	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
)

// checkCalls looks for a call that fails whatever it is given: of a function
// that there is not, or with more or fewer arguments than it takes.
func checkCalls(node parsing.ASTNode, known []functions.FunctionEntry) error {
	if node.NodeType == parsing.ASTFunctionExpression {
		name, _ := node.Value.(string)
		i := slices.IndexFunc(known, func(f functions.FunctionEntry) bool { return f.Name == name })
		if i < 0 {
			return fmt.Errorf("there is no function %s", name)
		}
		if !takes(known[i].Arguments, len(node.Children)) {
			return fmt.Errorf("%s does not take %d arguments", name, len(node.Children))
		}
	}
	for _, child := range node.Children {
		if err := checkCalls(child, known); err != nil {
			return err
		}
	}
	return nil
}

func takes(arguments []functions.ArgSpec, n int) bool {
	least, variadic := 0, false
	for _, a := range arguments {
		if !a.Optional {
			least++
		}
		variadic = variadic || a.Variadic
	}
	return n >= least && (n <= len(arguments) || variadic)
}
