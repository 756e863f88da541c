// Package jmespath finds a text in an event by a JMESPath expression, as the
// correlation id of a log:
//
//	guard.Log(logger, guard.Correlate(jmespath.Text("headers.\"x-correlation-id\"")))
//
// It is a package of its own so that only who asks for an expression links the
// library that evaluates it.
package jmespath

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmespath-community/go-jmespath"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Text gives a function that evaluates expr on an event. What it finds is "" in
// an event that is not strict JSON, and where expr finds nothing or what is
// neither a string nor a number. An expression that is malformed panics.
//
// https://jmespath.org/specification.html
func Text(expr string) func(ctx context.Context, ev *guard.Event) string {
	compiled, err := jmespath.Compile(expr)
	if err != nil {
		panic(fmt.Sprintf("jmespath: expression %q: %v", expr, err))
	}
	return func(_ context.Context, ev *guard.Event) string {
		tree, err := ev.Tree()
		if err != nil {
			return ""
		}
		found, err := compiled.Search(tree)
		if err != nil {
			return ""
		}
		switch v := found.(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		default:
			return ""
		}
	}
}
