package sigv4_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// What a signature costs beside a base that does nothing, for bodies of three sizes. The
// hash of the body is what grows.
func BenchmarkTransport(b *testing.B) {
	nothing := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	for _, bc := range []struct {
		name, service string
		rt            http.RoundTripper
		size          int
	}{
		{name: "base", rt: nothing},
		{name: "no body", service: "execute-api"},
		{name: "1 kB", service: "execute-api", size: 1 << 10},
		{name: "1 MB", service: "execute-api", size: 1 << 20},
		{name: "1 MB to VPC Lattice", service: "vpc-lattice-svcs", size: 1 << 20},
	} {
		b.Run(bc.name, func(b *testing.B) {
			rt := bc.rt
			if rt == nil {
				rt = sigv4.Transport(nothing, static(keys), "eu-central-1", bc.service, "api.example")
			}
			r, err := http.NewRequestWithContext(b.Context(), "POST", "https://api.example/orders/1?a=1", strings.NewReader(strings.Repeat("x", bc.size)))
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			b.ReportAllocs()
			for b.Loop() {
				res, err := rt.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
