package validate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A layer adds what lies between read and body: both have an outer layer that
// has read the request, as every chain has. Of that, library is the library's
// own, and tree is what the shared tree costs whoever asks for it first.
func BenchmarkUnicorn(b *testing.B) {
	schema := mustCompile(unicornSchema)
	payload := request(b, unicorn)
	read := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if _, err := guard.EventOf(ctx, payload).Body(); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	tree := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if _, err := guard.EventOf(ctx, payload).BodyTree(); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	body, err := guard.EventOf(context.Background(), payload).BodyTree()
	if err != nil {
		b.Fatal(err)
	}
	library := jsonschema.MustCompileString("unicorn.json", string(unicornSchema))
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := library.Validate(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, bm := range []struct {
		name   string
		layers []guard.Middleware
	}{
		{name: "read", layers: []guard.Middleware{read}},
		{name: "tree", layers: []guard.Middleware{read, tree}},
		{name: "body", layers: []guard.Middleware{read, validate.Body(schema)}},
		{name: "body-with-tree-shared", layers: []guard.Middleware{read, tree, validate.Body(schema)}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			h := guard.Wrap(accept, bm.layers...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(context.Background(), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An order of ten items, accepted and refused.
func BenchmarkOrder(b *testing.B) {
	const text = `{"type":"object","required":["customer","items"],"additionalProperties":false,"properties":{
		"customer":{"type":"string","pattern":"^c-[0-9]+$","maxLength":20},
		"items":{"type":"array","minItems":1,"maxItems":50,"items":{"type":"object","required":["sku","quantity"],"additionalProperties":false,
			"properties":{"sku":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"},"quantity":{"type":"integer","minimum":1,"maximum":99}}}},
		"note":{"type":"string","maxLength":280}}}`
	valid := `{"customer":"c-42","note":"the door at the back","items":[` + many(10, func(i int) string {
		return fmt.Sprintf(`{"sku":"KB-10%d","quantity":%d}`, i, i+1)
	}) + `]}`
	order, library := mustCompile([]byte(text)), jsonschema.MustCompileString("order.json", text)
	for _, bb := range []struct{ name, body string }{
		{name: "valid", body: valid},
		{name: "last-item-wrong", body: strings.Replace(valid, `"quantity":10`, `"quantity":0`, 1)},
		{name: "all-items-wrong", body: strings.ReplaceAll(valid, `"quantity":`, `"quantity":10`)},
		{name: "customer-wrong", body: strings.Replace(valid, "c-42", "42", 1)},
	} {
		tree, err := guard.EventOf(context.Background(), []byte(bb.body)).Tree()
		if err != nil {
			b.Fatal(err)
		}
		for _, judge := range []struct {
			name     string
			validate func(any) error
		}{
			{name: "own", validate: func(v any) error { return order.Validate(v) }},
			{name: "library", validate: library.Validate},
		} {
			b.Run(bb.name+"/"+judge.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := judge.validate(tree); (err == nil) != (bb.name == "valid") {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
