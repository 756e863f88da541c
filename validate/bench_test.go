package validate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// An order of ten items: by this package, by the library, and by a function that
// decodes what is valid and answers it.
func BenchmarkOrder(b *testing.B) {
	const text = `{"type":"object","required":["customer","items"],"additionalProperties":false,"properties":{
		"customer":{"type":"string","pattern":"^c-[0-9]+$","maxLength":20},
		"items":{"type":"array","minItems":1,"maxItems":50,"items":{"type":"object","required":["sku","quantity"],"additionalProperties":false,
			"properties":{"sku":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"},"quantity":{"type":"integer","minimum":1,"maximum":99}}}},
		"note":{"type":"string","maxLength":280}}}`
	valid := `{"customer":"c-42","note":"the door at the back","items":[` + many(10, func(i int) string {
		return fmt.Sprintf(`{"sku":"KB-10%d","quantity":%d}`, i, i+11)
	}) + `]}`
	schema, library := mustCompile([]byte(text)), jsonschema.MustCompileString("order.json", text)
	type order struct {
		Customer string `json:"customer"`
		Note     string `json:"note"`
		Items    []struct {
			SKU      string `json:"sku"`
			Quantity int    `json:"quantity"`
		} `json:"items"`
	}
	function := guard.Wrap(httpapi.Func(func(_ context.Context, o order) (order, error) { return o, nil }),
		httpapi.Problems(), validate.Body(schema))
	for _, bb := range []struct{ name, body string }{
		{name: "valid", body: valid},
		{name: "last-item-wrong", body: strings.Replace(valid, `"quantity":20`, `"quantity":0`, 1)},
		{name: "all-items-wrong", body: strings.ReplaceAll(valid, `"quantity":`, `"quantity":10`)},
		{name: "customer-wrong", body: strings.Replace(valid, "c-42", "42", 1)},
	} {
		tree, err := guard.EventOf(context.Background(), []byte(bb.body)).Tree()
		if err != nil {
			b.Fatal(err)
		}
		payload := request(b, bb.body)
		for _, judge := range []struct {
			name  string
			judge func() error
		}{
			{name: "own", judge: func() error { return schema.Validate(tree) }},
			{name: "library", judge: func() error { return library.Validate(tree) }},
			{name: "function", judge: func() error {
				out, err := function.Invoke(b.Context(), payload)
				if bytes.Contains(out, []byte(`"statusCode":400`)) {
					return errors.New("refused")
				}
				return err
			}},
		} {
			b.Run(bb.name+"/"+judge.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := judge.judge(); (err == nil) != (bb.name == "valid") {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
