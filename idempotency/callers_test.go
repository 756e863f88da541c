package idempotency_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// appSync is what a resolver is called with.
func appSync(sub, id, trace string) []byte {
	return fmt.Appendf(nil, `{"arguments":{"id":%q},"identity":{"sub":%q,"issuer":"https://issuer.example","claims":{}},"source":null,`+
		`"request":{"headers":{"x-amzn-trace-id":%q,"authorization":"t-%s"}},"prev":null,"info":{"fieldName":"pay","parentTypeName":"Mutation","variables":{}}}`,
		id, sub, trace, sub)
}

// Nobody gets what was answered to somebody else, whoever it was that told them
// apart, and a caller's own repeat is one.
func TestCallersAreKeptApartBehindEveryGateway(t *testing.T) {
	post := func(headers ...string) sample.HTTPEvent {
		b := sample.HTTP("POST", "/orders").JSON(`{"a":1}`)
		for i := 0; i < len(headers); i += 2 {
			b = b.Header(headers[i], headers[i+1])
		}
		return b
	}
	alb := func(name, value string) []byte {
		return sample.Of(guard.ALB).Set("/headers/"+name, value).Bytes()
	}
	for _, tt := range []struct {
		name              string
		alice, again, bob []byte
	}{
		{
			name:  "a bearer that the handler itself checks",
			alice: post("Authorization", "Bearer a").FunctionURL().Bytes(), again: post("Authorization", "Bearer a").FunctionURL().Bytes(),
			bob: post("Authorization", "Bearer b").FunctionURL().Bytes(),
		},
		{
			name:  "a cookie",
			alice: post().Cookie("session", "a").Bytes(), again: post().Cookie("session", "a").Bytes(), bob: post().Cookie("session", "b").Bytes(),
		},
		{name: "a key", alice: post("X-Api-Key", "a").Bytes(), again: post("X-Api-Key", "a").Bytes(), bob: post("X-Api-Key", "b").Bytes()},
		{name: "one with a bearer, one without", alice: post("Authorization", "Bearer a").Bytes(), again: post("Authorization", "Bearer a").Bytes(), bob: post().Bytes()},
		{name: "OpenID Connect of a load balancer", alice: alb("x-amzn-oidc-identity", "a"), again: alb("x-amzn-oidc-identity", "a"), bob: alb("x-amzn-oidc-identity", "b")},
		{
			name: "mutual TLS of a load balancer", alice: alb("x-amzn-mtls-clientcert-subject", "CN=a"), again: alb("x-amzn-mtls-clientcert-subject", "CN=a"),
			bob: alb("x-amzn-mtls-clientcert-subject", "CN=b"),
		},
		{name: "AppSync", alice: appSync("a", "1", "Root=1"), again: appSync("a", "1", "Root=2"), bob: appSync("b", "1", "Root=1")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := 0
			h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
				runs++
				return fmt.Appendf(nil, `{"statusCode":200,"body":"run %d"}`, runs), nil
			}), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()))
			for _, call := range []struct {
				who   string
				event []byte
				runs  int
			}{{
				who:   "alice",
				event: tt.alice,
				runs:  1,
			}, {
				who:   "alice again",
				event: tt.again,
				runs:  1,
			}, {
				who:   "bob",
				event: tt.bob,
				runs:  2,
			}, {
				who:   "alice, the third time",
				event: tt.again,
				runs:  2,
			}} {
				if _, err := h.Invoke(t.Context(), call.event); err != nil || runs != call.runs {
					t.Fatalf("%s: got %d runs, %v, want %d", call.who, runs, err, call.runs)
				}
			}
		})
	}
}

// What only a load balancer says is nobody's word elsewhere.
func TestAHeaderOfALoadBalancerNamesNobodyElsewhere(t *testing.T) {
	runs := 0
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		runs++
		return []byte(`{"statusCode":200}`), nil
	}), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))
	for _, token := range []string{"alice", "mallory"} {
		event := sample.HTTP("POST", "/").Header("Idempotency-Key", "k").Header("Authorization", "Bearer "+token).Header("X-Amzn-Oidc-Identity", "alice")
		if _, err := h.Invoke(t.Context(), event.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 2 {
		t.Errorf("got %d runs, want one for each token", runs)
	}
}
