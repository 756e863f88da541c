package schema_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

func ExampleCompile() {
	_, err := schema.Compile([]byte(`{"properties": {"password": {"pattern": "^(?=.*[0-9]).+$"}}}`))
	fmt.Println(err)
	// Output: validate/schema: schema.json: "/properties/password/pattern": '^(?=.*[0-9]).+$' is not valid 'regex'; patterns are RE2, which has neither look-around nor back-references
}

func ExampleCompileFS() {
	files := fstest.MapFS{ // an embed.FS, in a function
		"order.json":           {Data: []byte(`{"properties": {"customer": {"$ref": "common/customer.json"}}}`)},
		"common/customer.json": {Data: []byte(`{"type": "string", "pattern": "^c-[0-9]+$"}`)},
	}
	order, err := schema.CompileFS(files, "order.json")
	fmt.Println(order.Validate(map[string]any{"customer": "c-42"}), err)
	// Output: <nil> <nil>
}

func ExampleFormat() {
	sku := schema.Format("sku", func(s string) bool { return strings.HasPrefix(s, "KB-") })
	item := schema.MustCompile([]byte(`{"properties": {"sku": {"format": "sku"}}}`), sku)
	err := item.Validate(map[string]any{"sku": "101"})
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/sku format must be in the format sku}]
}
