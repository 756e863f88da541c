// Package jmespath selects a string of an event with a JMESPath expression, for
// example the correlation id for the log:
//
//	guard.Log(logger, guard.Correlate(jmespath.Text("headers.\"x-correlation-id\"")))
//
// It is a package of its own so that only functions that use an expression link
// the JMESPath library.
package jmespath

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// Text returns a function that evaluates expr on an event. The function returns
// the string or the number that expr finds, and "" where it finds anything else
// or nothing, fails, or the event is not strict JSON.
//
// A number of the event is returned as it was written. Expressions can select
// such a number, but not calculate with it or compare it.
//
// Beside the functions of JMESPath there are powertools_json, powertools_base64
// and powertools_base64_gzip. Text panics if expr is malformed or calls an
// unknown function.
//
// https://jmespath.org/specification.html
func Text(expr string) func(ctx context.Context, ev *guard.Event) string {
	compiled, err := jmes.Compile(expr)
	if err != nil {
		panic(fmt.Sprintf("guard/jmespath: expression %q: %v", expr, err))
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
		return text(found)
	}
}

func text(found any) string {
	switch v := found.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}
