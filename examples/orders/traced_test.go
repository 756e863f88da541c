//go:build otel

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// X-Ray takes signed requests. A collector gets no signature.
func TestOnlyXRayGetsASignature(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for endpoint, signed := range map[string]bool{
		"https://xray.eu-central-1.amazonaws.com": true,
		"http://127.0.0.1:4318":                   false,
		"https://collector.example":               false,
	} {
		var got string
		client, err := clientFor(t.Context(), endpoint, roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.Header.Get("Authorization")
			return httptest.NewRecorder().Result(), nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Post(endpoint+"/v1/traces", "application/x-protobuf", strings.NewReader("spans"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if strings.Contains(got, "/eu-central-1/xray/aws4_request") != signed {
			t.Errorf("%s gets the signature %q, want one: %t", endpoint, got, signed)
		}
	}
}
