package xray_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

// The segments are packed and written to a socket, as in Lambda.
func BenchmarkTrace(b *testing.B) {
	for _, c := range []struct {
		name   string
		header string
		layers []guard.Middleware
	}{
		{name: "without", header: sampled},
		{name: "Sampled=0", header: "Root=" + root + ";Parent=" + parent + ";Sampled=0", layers: []guard.Middleware{xray.Trace()}},
		{name: "Sampled=1", header: sampled, layers: []guard.Middleware{xray.Trace()}},
		{name: "Sampled=1 and a layer", header: sampled, layers: []guard.Middleware{xray.Trace(), xray.Subsegment("x", pass)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := startDaemon(b)
			ctx := d.context(c.header)
			h := guard.Wrap(guard.HandlerFunc(ok), append(c.layers, guard.Recover(), guard.Limit(guard.Limits{}))...)
			payload := []byte(`{"id":"8f1c","lines":[{"sku":"a","quantity":1}]}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(ctx, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
