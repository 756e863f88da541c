package gateway_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// The builder's events are those that the kit's own gateways make of the same
// request, but for ids and times.
func TestBuiltEventIsTheOneThatTheGatewayMakes(t *testing.T) {
	type builder = sample.HTTPEvent
	const own = "lambdarmor.execute-api.us-east-1.amazonaws.com"
	token := "Bearer " + theIssuer().sign(t, claimsWith(map[string]any{"token_use": "id", "exp": 4_000_000_000, "iat": 1_600_000_000}))
	jwt := &gateway.JWTAuthorizer{Issuer: testIssuer, Audience: []string{"client-1"}, Keys: theIssuer().jwks()}
	claims := map[string]string{"iss": testIssuer, "aud": "client-1", "sub": "jane", "token_use": "id", "exp": "4000000000", "iat": "1600000000"}
	for _, tt := range []struct {
		name   string
		target string // as the client calls it
		host   string
		header http.Header
		built  func(builder) builder
		base   string // target of the builder; as called when empty
		http   *gateway.HTTPAPIConfig
		rest   *gateway.RESTAPIConfig
	}{
		{name: "HTTP API", target: "/orders/a%2Fb?x=1&x=2", host: own, http: &gateway.HTTPAPIConfig{}},
		{name: "HTTP API, an escape of an escape", target: "/%2561", host: own, http: &gateway.HTTPAPIConfig{}},
		{name: "HTTP API, format 1.0", target: "/orders//4%202?x=1&x=2", host: own, http: &gateway.HTTPAPIConfig{Format: "1.0"}, built: builder.Format1},
		{name: "HTTP API, a stage", target: "/dev/orders/1", base: "/orders/1", host: own, http: &gateway.HTTPAPIConfig{Stage: "dev", StageInPath: true}, built: func(b builder) builder { return b.Stage("dev") }},
		{name: "HTTP API, a base path", target: "/v1/orders/1", base: "/orders/1", host: "api.example.com", http: &gateway.HTTPAPIConfig{BasePath: "v1"}, built: func(b builder) builder { return b.BasePath("v1") }},
		{name: "HTTP API, format 1.0, a base path", target: "/v1/orders/1", base: "/orders/1", host: "api.example.com", http: &gateway.HTTPAPIConfig{BasePath: "v1", Format: "1.0"}, built: func(b builder) builder { return b.BasePath("v1").Format1() }},
		{name: "HTTP API, a port", target: "/", host: "localhost:8080", http: &gateway.HTTPAPIConfig{}, built: func(b builder) builder { return b.Header("Host", "localhost:8080") }},
		{name: "HTTP API, a token", target: "/", host: own, header: http.Header{"Authorization": {token}}, http: &gateway.HTTPAPIConfig{JWT: jwt}, built: func(b builder) builder { return b.JWT(claims) }},
		{name: "HTTP API, format 1.0, a token", target: "/", host: own, header: http.Header{"Authorization": {token}}, http: &gateway.HTTPAPIConfig{JWT: jwt, Format: "1.0"}, built: func(b builder) builder { return b.JWT(claims).Format1() }},
		{name: "function URL", target: "/a%2Fb//%2561?x=%20", host: "lambdarmor.lambda-url.us-east-1.on.aws", http: &gateway.HTTPAPIConfig{FunctionURL: true}, built: builder.FunctionURL},
		{name: "REST API", target: "/prod/orders/a%2Fb/?x=1&x=2", base: "/orders/a%2Fb/?x=1&x=2", host: own, rest: &gateway.RESTAPIConfig{StageInPath: true}, built: builder.REST},
		{name: "REST API, a domain", target: "/orders/1", host: "shop.example.com", rest: &gateway.RESTAPIConfig{Stage: "dev"}, built: func(b builder) builder { return b.REST().Stage("dev").Header("Host", "shop.example.com") }},
		{name: "REST API, a base path", target: "/v1/orders/1", base: "/orders/1", host: "api.example.com", rest: &gateway.RESTAPIConfig{BasePath: "v1"}, built: func(b builder) builder { return b.REST().BasePath("v1") }},
		{
			name: "REST API, a user pool", target: "/prod/x", base: "/x", host: own, header: http.Header{"Authorization": {token}},
			rest: &gateway.RESTAPIConfig{StageInPath: true, UserPool: &gateway.UserPoolAuthorizer{Issuer: testIssuer, Keys: theIssuer().jwks()}},
			built: func(b builder) builder {
				return b.REST().JWT(map[string]string{
					"iss": testIssuer, "aud": "client-1", "sub": "jane", "token_use": "id",
					"exp": time.Unix(4_000_000_000, 0).UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), "iat": "Sun Sep 13 12:26:40 UTC 2020",
				})
			},
		},
	} {
		r := httptest.NewRequest("PUT", tt.target, strings.NewReader(`{"a":1}`))
		r.Host, r.RemoteAddr, r.TLS = tt.host, "203.0.113.7:1", &tls.ConnectionState{}
		r.Header = http.Header{"User-Agent": {"guardtest/1"}, "X-Amzn-Trace-Id": {"Root=1-5e6a8a6e-1f5c2b3d4a59687786a5b4c3"}, "Content-Type": {"application/json"}}
		if tt.base == "" {
			tt.base = tt.target
		}
		b := sample.HTTP("PUT", tt.base).JSON(`{"a":1}`)
		for name, values := range tt.header {
			r.Header[name] = values
			b = b.Header(name, values[0])
		}
		if tt.built != nil {
			b = tt.built(b)
		}
		var made []byte
		fn := invokerFunc(func(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
			made = call.Payload
			return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
		})
		w := httptest.NewRecorder()
		if tt.rest != nil {
			newREST(t, fn, *tt.rest).ServeHTTP(w, r)
		} else {
			newAPI(t, fn, *tt.http).ServeHTTP(w, r)
		}
		if made == nil {
			t.Errorf("%s: the function is not called: %d %s", tt.name, w.Code, w.Body)
			continue
		}
		want, got := comparable(t, made), comparable(t, b.Bytes())
		for pointer, value := range want {
			if got[pointer] != value {
				t.Errorf("%s: built %s is %v, the gateway's is %v", tt.name, pointer, got[pointer], value)
			}
		}
		for pointer := range got {
			if _, ok := want[pointer]; !ok {
				t.Errorf("%s: built %s is not in the gateway's", tt.name, pointer)
			}
		}
	}
}

// comparable are the leaves of an event but for ids and times.
func comparable(t *testing.T, text []byte) map[string]any {
	t.Helper()
	if !json.Valid(text) {
		t.Fatalf("%s", text)
	}
	found := leaves(t, text)
	for _, name := range []string{"requestId", "extendedRequestId", "time", "timeEpoch", "requestTime", "requestTimeEpoch", "resourceId", "deploymentId"} {
		delete(found, "/requestContext/"+name)
	}
	return found
}
