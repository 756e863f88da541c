package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/validate/schema"
)

func BenchmarkCompile(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10, 100 << 10} {
		text := schemaOfSize(size)
		b.Run(fmt.Sprintf("%dkB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := schema.Compile(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// schemaOfSize makes a schema with as many members as fit.
func schemaOfSize(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"first":{}`)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,"member%d":{"type":"string","minLength":1,"maxLength":80,"pattern":"^[a-z]+$"}`, i)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}
