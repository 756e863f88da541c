package jmespath_test

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/jmespath"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

var store = guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte("null"), nil })

func ExampleAt() {
	orders := schema.MustCompile([]byte(`{"type": "array", "items": {"required": ["sku"]}}`))
	h := guard.Wrap(store, jmespath.At(jmespath.EnvelopeSQS, orders))
	_, err := h.Invoke(context.Background(), []byte(`{"Records": [{"body": "{\"sku\": \"KB-101\"}"}, {"body": "{}"}]}`))
	fmt.Println(guard.Public(err).Violations[0].Pointer)
	// Output: /1/sku
}

func ExampleAt_eventBridge() {
	order := schema.MustCompile([]byte(`{"required": ["orderId"]}`))
	h := guard.Wrap(store, jmespath.At(jmespath.EnvelopeEventBridge, order))
	_, err := h.Invoke(context.Background(), []byte(`{"detail-type": "OrderPlaced", "detail": {}}`))
	fmt.Println(guard.Public(err).Violations[0].Pointer)
	// Output: /orderId
}

// An expression of one's own. What it does not select is not validated.
func ExampleAt_expression() {
	totals := schema.MustCompile([]byte(`{"items": {"type": "integer", "maximum": 500}}`))
	h := guard.Wrap(store, jmespath.At("orders[?state == 'open'].total", totals))
	_, err := h.Invoke(context.Background(), []byte(`{"orders": [{"state": "open", "total": 900}, {"state": "paid", "total": 2000}]}`))
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/0 maximum must be at most 500}]
}
