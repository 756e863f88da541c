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
	"strconv"

	"github.com/jmespath-community/go-jmespath"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

// Text gives a function that evaluates expr on an event. What it finds is "" in
// an event that is not strict JSON, and where expr finds nothing or what is
// neither a string nor a number: a number of the event is as it was written,
// one that expr computes is without an exponent. Numbers of the event are texts
// to expr: it neither calculates with them nor compares their size. An expression
// that is malformed panics.
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
		// Log asks outside of Recover.
		found, _ := jmes.Evaluate(func() (any, error) { return compiled.Search(tree) })
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
