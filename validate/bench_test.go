package validate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
)

// A layer adds what lies between read and body: both have an outer layer that
// has read the request, as every chain has. Of that, library is the library's
// own, and tree is what the shared tree costs whoever asks for it first.
func BenchmarkUnicorn(b *testing.B) {
	schema := validate.MustCompile(unicornSchema)
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
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := schema.Validate(body); err != nil {
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

// What the library spends on numbers, which it compares as fractions.
func BenchmarkNumbers(b *testing.B) {
	schema := validate.MustCompile([]byte(`{"items":{"type":"integer","minimum":1,"maximum":99}}`))
	payload := request(b, "["+strings.Repeat("7,", 99)+"7]")
	tree, err := guard.EventOf(context.Background(), payload).BodyTree()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := schema.Validate(tree); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10, 100 << 10} {
		schema := schemaOfSize(size)
		b.Run(fmt.Sprintf("%dkB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := validate.Compile(schema); err != nil {
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
