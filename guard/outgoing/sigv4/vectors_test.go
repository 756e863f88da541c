package sigv4_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

// The requests of AWS's own test suite that HTTP can send and this package signs: for
// example not those with headers that it leaves unsigned. Left out besides are those
// whose path has a character to escape or a dot segment: the suite escapes a path once,
// where services ask for twice, and resolves it or not by a flag.
//
// https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4
func TestSignaturesAreThoseOfTheSuiteOfAWS(t *testing.T) {
	const (
		plain   = "host;x-amz-date"
		form    = "content-length;content-type;host;x-amz-content-sha256;x-amz-date"
		token   = "host;x-amz-date;x-amz-security-token"
		letters = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	)
	for _, tc := range []struct {
		name, method, target     string
		contentType, body, token string
		headers, signature       string
	}{
		{name: "get-vanilla", target: "/", headers: plain, signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{name: "get-vanilla-empty-query-key", target: "/?Param1=value1", headers: plain, signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{name: "get-vanilla-query-order-encoded", target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", headers: plain, signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		{name: "get-vanilla-query-order-key-case", target: "/?Param2=value2&Param1=value1", headers: plain, signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{name: "get-vanilla-query-unreserved", target: "/?" + letters + "=" + letters, headers: plain, signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{name: "get-vanilla-utf8-query", target: "/?ሴ=bar", headers: plain, signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{name: "get-unreserved", target: "/" + letters, headers: plain, signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{name: "get-vanilla-with-session-token", target: "/", token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", headers: token, signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		{name: "post-vanilla", method: "POST", target: "/", headers: plain, signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{name: "post-vanilla-query", method: "POST", target: "/?Param1=value1", headers: plain, signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
		{name: "post-x-www-form-urlencoded", method: "POST", target: "/", contentType: "application/x-www-form-urlencoded", body: "Param1=value1", headers: form, signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
		{name: "post-x-www-form-urlencoded-parameters", method: "POST", target: "/", contentType: "application/x-www-form-urlencoded; charset=utf-8", body: "Param1=value1", headers: form, signature: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
	} {
		r, err := http.NewRequest(tc.method, "https://example.amazonaws.com"+tc.target, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.contentType != "" {
			r.Header.Set("Content-Type", tc.contentType)
			r.Header.Set("X-Amz-Content-Sha256", hash(tc.body)) // which the suite sends, and its signature covers
		}
		creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: tc.token}
		got := signature(t, r, creds, "us-east-1", "service", time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + tc.headers + ", Signature=" + tc.signature
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", tc.name, got, want)
		}
	}
}

// signature returns the header Authorization that a request is sent with.
func signature(t *testing.T, r *http.Request, creds aws.Credentials, region, service string, at time.Time) (header string) {
	t.Helper()
	rt := sigv4.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	}), static(creds), region, service, r.URL.Hostname())
	res, err := sigv4.WithClock(rt, func() time.Time { return at }).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return header
}

// Requests as they are sent, signed by SigV4Auth of botocore 1.44.8 (Python) with its
// clock set to 2026-01-02 03:04:05 UTC, and payload_signing_enabled set to False for VPC
// Lattice. awscrt 0.38.1 (C) makes the same signatures with use_double_uri_encode. Both
// agreed with this package on 24,954 random requests too.
func TestSignaturesAreThoseOfOtherImplementations(t *testing.T) {
	const session = "IQoJb3JpZ2luX2VjE//+=="
	for _, tc := range []struct {
		name, service, method    string
		url                      string
		contentType, body, token string
		headers, signature       string
	}{
		{name: "a path with characters that are escaped twice", service: "execute-api", url: "https://api.example/prod/arn:aws:x/a b/$@*", headers: "host;x-amz-date", signature: "7612f743221b1db030600ffbeefcecc631dca65a98aecf0979915eddc374236e"},
		{name: "an escaped slash and an escaped percent sign", service: "execute-api", url: "https://api.example/a%2fb/%2561", headers: "host;x-amz-date", signature: "8a7ca19b43f9706450d13ac4c6b6c31eb5dac7357af29e484e6ecdac66f06985"},
		{name: "a path that is not ASCII", service: "lambda", url: "https://api.example/bücher/ሴ/", headers: "host;x-amz-date", signature: "5e58b1e4a10a8bd93e4fbdec0638d275f13e9ded1f79cbd8d973c41e52408198"},
		{name: "a query by its escaped names", service: "execute-api", url: "https://api.example/?~=1&é=2&a=3&a-b=4&a=%7E", headers: "host;x-amz-date", signature: "f3d5f75bbfa0b978ee068c92bd51b54789650d4d49698e8077b593cbdd03d9ef"},
		{name: "values by their escapes", service: "execute-api", url: "https://api.example/?a=~&a=é&a&a=+", headers: "host;x-amz-date", signature: "2b3c4706bd54b5bc0c2b593a98af2f719787cda6250b2336eff0d690f962965e"},
		{name: "a body and a session", service: "execute-api", method: "POST", url: "https://api.example/orders?x=2&x=1", contentType: "application/json;  charset=utf-8", body: `{"sku":"1"}`, token: session, headers: "content-length;content-type;host;x-amz-date;x-amz-security-token", signature: "3132fd6b0270b3b4deafc6c79df84b9d51e8f29a67dfe5b3d4f85734a33e3118"},
		{name: "another port", service: "lambda", method: "DELETE", url: "https://api.example:8443/orders/1", token: session, headers: "host;x-amz-date;x-amz-security-token", signature: "1dde0df1ede11a3fc04e6404892f2a76c5769574c4f5b0f497bd477cba640c9e"},
		{name: "VPC Lattice", service: "vpc-lattice-svcs", method: "PUT", url: "https://api.example/sku/1", contentType: "application/json", body: `{"sku":"1"}`, headers: "content-type;host;x-amz-content-sha256;x-amz-date", signature: "778089c2b65f929f3213595cc324366b2d5d4995322b06445f4c4a20d10df3e4"},
		{name: "VPC Lattice with a session", service: "vpc-lattice-svcs", url: "https://api.example/a:b?q=/", token: session, headers: "host;x-amz-content-sha256;x-amz-date;x-amz-security-token", signature: "0f3e31418430a01811edad425f69b38da8932c98a37d5a8e7e2db4b3200110e7"},
	} {
		r, err := http.NewRequest(tc.method, tc.url, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		if tc.contentType != "" {
			r.Header.Set("Content-Type", tc.contentType)
		}
		creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: tc.token}
		got := signature(t, r, creds, "eu-central-1", tc.service, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/" + tc.service + "/aws4_request, SignedHeaders=" + tc.headers + ", Signature=" + tc.signature
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", tc.name, got, want)
		}
	}
}
