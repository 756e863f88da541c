package outgoing_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
)

// What Transport costs beside a base that does nothing, and beside a request over HTTP.
func BenchmarkTransport(b *testing.B) {
	nothing := roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	own := outgoing.Hosts("api.example")
	for _, bc := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", nothing},
		{"other host", outgoing.Transport(nothing)},
		{"own host", outgoing.Transport(nothing, own)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			//lint:ignore SA1029 the key that aws-lambda-go uses
			ctx := context.WithValue(b.Context(), "x-amzn-trace-id", header)
			h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				r, err := http.NewRequestWithContext(ctx, "GET", "https://api.example/x", nil)
				if err != nil {
					return nil, err
				}
				b.ReportAllocs()
				for b.Loop() {
					res, err := bc.rt.RoundTrip(r)
					if err != nil {
						return nil, err
					}
					_ = res.Body.Close()
				}
				return nil, nil
			}), guard.Log(logging.New(discard{}), guard.Correlate(func(context.Context, *guard.Event) string { return "order-7" })))
			if _, err := h.Invoke(ctx, nil); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkTransportOverHTTP(b *testing.B) {
	server := echo(b)
	for _, bc := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", http.DefaultTransport},
		{"own host", outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))},
	} {
		b.Run(bc.name, func(b *testing.B) {
			client := &http.Client{Transport: bc.rt}
			for b.Loop() {
				res, err := client.Get(server.URL)
				if err != nil {
					b.Fatal(err)
				}
				_ = res.Body.Close()
			}
		})
	}
}
