package authorizer_test

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func authorized(event sample.Event, by any) sample.Event {
	return event.Set("/requestContext/authorizer", by)
}

// jwt is what a JWT authorizer of an HTTP API says: all claims are texts, a list
// is "[a b]".
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
// https://github.com/aws-solutions-library-samples/guidance-for-claude-code-with-amazon-bedrock/pull/803
func jwt(claims map[string]any, scopes any) map[string]any {
	return map[string]any{"jwt": map[string]any{"claims": claims, "scopes": scopes}}
}

// signed is what IAM authorization of an HTTP API and of a function URL says.
//
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
// https://github.com/aws-powertools/powertools-lambda-python/blob/develop/tests/events/apiGatewayProxyV2IamEvent.json
func signed(arn string, cognito any) map[string]any {
	return map[string]any{"iam": map[string]any{
		"accessKey": "AKIA", "accountId": "123456789012", "callerId": "AROA:s", "cognitoIdentity": cognito, "principalOrgId": "o-1", "userArn": arn, "userId": "AROA:s",
	}}
}

// identity is what IAM authorization says in format 1.0 and of a REST API.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func identity(event sample.Event, arn, cognitoID any) sample.Event {
	return event.Set("/requestContext/identity", map[string]any{
		"userArn": arn, "user": "AROA:s", "caller": "AROA:s", "accountId": "123456789012", "accessKey": "AKIA", "cognitoIdentityId": cognitoID, "principalOrgId": "o-1",
	})
}

const (
	session  = "arn:aws:sts::123456789012:assumed-role/orders/till-3"
	role     = "arn:aws:iam::123456789012:role/orders"
	identID  = "us-east-1:3f291106-8703-466b-8f2b-3ecee1ca56ce"
	poolARN  = "arn:aws:sts::123456789012:assumed-role/pool-role/CognitoIdentityCredentials"
	poolRole = "arn:aws:iam::123456789012:role/pool-role"
)

func TestFromGatewayTakesWhatEachAuthorizerSays(t *testing.T) {
	http2, url := sample.Of(guard.HTTPAPI), sample.Of(guard.FunctionURL)
	http1, rest := authorized(sample.Of(guard.HTTPAPI, "format-1.0"), nil), sample.Of(guard.REST)
	lattice := sample.Of(guard.VPCLattice)
	cognito := map[string]any{"amr": []string{"authenticated"}, "identityId": identID, "identityPoolId": "us-east-1:4f"}
	claims := map[string]any{
		"sub": "alice", "iss": "https://issuer.example.com", "client_id": "shop", "exp": "4070908800", "iat": "1612053076", "scope": "orders:read orders:write",
		"cognito:groups": "[admins sales]", "email_verified": "true",
	}
	told := map[string]any{"iss": "https://issuer.example.com", "client_id": "shop", "exp": "4070908800", "iat": "1612053076", "cognito:groups": "[admins sales]", "email_verified": "true"}
	end := time.Unix(4070908800, 0)
	for _, tt := range []struct {
		name  string
		event sample.Event
		want  authorizer.Grant
	}{
		{
			name: "JWT", event: authorized(http2, jwt(claims, []string{"orders:read"})),
			want: authorizer.Grant{Principal: "alice", Scopes: []string{"orders:read", "orders:write"}, Groups: []string{"admins", "sales"}, Expires: end, Context: told},
		},
		{
			name: "JWT, no scopes of the route", event: authorized(http2, jwt(map[string]any{"sub": "alice", "scope": "a"}, nil)),
			want: authorizer.Grant{Principal: "alice", Scopes: []string{"a"}},
		},
		{
			name: "JWT of a client's own", event: authorized(http2, jwt(map[string]any{"client_id": "shop"}, nil)),
			want: authorizer.Grant{Principal: "shop", Context: map[string]any{"client_id": "shop"}},
		},
		{
			name: "JWT, one group", event: authorized(http2, jwt(map[string]any{"sub": "alice", "groups": "[admins]"}, nil)),
			want: authorizer.Grant{Principal: "alice", Groups: []string{"admins"}},
		},
		{
			name: "JWT, no group", event: authorized(http2, jwt(map[string]any{"sub": "alice", "cognito:groups": "[]"}, nil)),
			want: authorizer.Grant{Principal: "alice", Context: map[string]any{"cognito:groups": "[]"}},
		},
		{ // where it cannot be told how many groups that is
			name: "JWT, groups whose names may have spaces", event: authorized(http2, jwt(map[string]any{"sub": "alice", "groups": "[my admins]"}, nil)),
			want: authorizer.Grant{Principal: "alice"},
		},
		{ // https://github.com/awsdocs/amazon-api-gateway-developer-guide/issues/113
			name: "JWT, format 1.0", event: authorized(http1, map[string]any{"claims": claims, "scopes": []string{"orders:read"}}),
			want: authorizer.Grant{Principal: "alice", Scopes: []string{"orders:read", "orders:write"}, Groups: []string{"admins", "sales"}, Expires: end, Context: told},
		},
		{
			name: "JWT, format 1.0, no scopes", event: authorized(http1, map[string]any{"claims": map[string]any{"sub": "alice"}, "scopes": nil}),
			want: authorizer.Grant{Principal: "alice"},
		},
		{ // https://github.com/amazon-archives/amazon-cognito-identity-js/issues/92 and https://github.com/aws/chalice/issues/783
			name: "Cognito user pool", event: authorized(rest, map[string]any{"claims": map[string]any{
				"sub": "alice", "token_use": "id", "exp": "Thu Jan 01 00:00:00 UTC 2099", "iat": "Fri Jul 29 17:52:53 UTC 2016", "cognito:groups": "admins,sales",
			}}),
			want: authorizer.Grant{
				Principal: "alice", Groups: []string{"admins", "sales"}, Expires: end,
				Context: map[string]any{"token_use": "id", "exp": "Thu Jan 01 00:00:00 UTC 2099", "iat": "Fri Jul 29 17:52:53 UTC 2016", "cognito:groups": "admins,sales"},
			},
		},
		{
			name: "Cognito user pool, an access token", event: authorized(rest, map[string]any{"claims": map[string]any{"sub": "alice", "client_id": "shop", "scope": "orders/read orders/write", "cognito:groups": "admins"}}),
			want: authorizer.Grant{
				Principal: "alice", Scopes: []string{"orders/read", "orders/write"}, Groups: []string{"admins"},
				Context: map[string]any{"client_id": "shop", "cognito:groups": "admins"},
			},
		},
		{
			name: "IAM, a role", event: authorized(http2, signed(session, nil)),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3", "account": "123456789012"}},
		},
		{
			name: "IAM, a user", event: authorized(http2, signed("arn:aws:iam::123456789012:user/ops/bob", nil)),
			want: authorizer.Grant{Principal: "arn:aws:iam::123456789012:user/ops/bob", Context: map[string]any{"account": "123456789012"}},
		},
		{
			name: "IAM, an identity of Cognito", event: authorized(http2, signed(poolARN, cognito)),
			want: authorizer.Grant{Principal: identID, Context: map[string]any{"role": poolRole, "account": "123456789012"}},
		},
		{
			name: "IAM, a function URL", event: authorized(url, signed(session, nil)),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3", "account": "123456789012"}},
		},
		{
			name: "IAM, format 1.0", event: identity(http1, session, nil),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3", "account": "123456789012"}},
		},
		{
			name: "IAM, REST", event: identity(rest, session, nil),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3", "account": "123456789012"}},
		},
		{
			name: "IAM, REST, an identity of Cognito", event: identity(rest, poolARN, identID),
			want: authorizer.Grant{Principal: identID, Context: map[string]any{"role": poolRole, "account": "123456789012"}},
		},
		{
			name: "IAM, VPC Lattice", event: lattice.Set("/requestContext/identity/principal", session),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3"}},
		},
		{ // https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
			name: "IAM, VPC Lattice, as its guide writes it", event: lattice.Set("/requestContext/identity/principal", strings.Replace(session, ":sts:", ":iam:", 1)),
			want: authorizer.Grant{Principal: role, Context: map[string]any{"session": "till-3"}},
		},
		{
			name: "IAM, a federated user", event: authorized(http2, signed("arn:aws:sts::123456789012:federated-user/carol", nil)),
			want: authorizer.Grant{Principal: "arn:aws:sts::123456789012:federated-user/carol", Context: map[string]any{"account": "123456789012"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := new(backend)
			r := mustRespond(t, b.handler(io.Discard, authorizer.FromGateway()), tt.event)
			if b.calls != 1 {
				t.Fatalf("got %+v after %d calls, want the handler called", r, b.calls)
			}
			got := *b.grant
			if !got.Expires.Equal(tt.want.Expires) {
				t.Errorf("got the end %s, want %s", got.Expires, tt.want.Expires)
			}
			got.Expires = tt.want.Expires
			if len(got.Context) == 0 {
				got.Context = nil
			}
			if len(got.Groups) == 0 {
				got.Groups = nil
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v,\nwant %+v", got, tt.want)
			}
		})
	}
}

// Whoever an authorizer does not name is nobody.
func TestFromGatewayRefusesTheNameless(t *testing.T) {
	http2, rest := sample.Of(guard.HTTPAPI), sample.Of(guard.REST)
	http1 := authorized(sample.Of(guard.HTTPAPI, "format-1.0"), nil)
	lattice := sample.Of(guard.VPCLattice)
	for name, event := range map[string]sample.Event{
		"JWT without claims":            authorized(http2, map[string]any{"jwt": map[string]any{"scopes": []string{"a"}}}),
		"JWT without a subject":         authorized(http2, jwt(map[string]any{"iss": "https://issuer.example.com", "email": "a@example.com"}, nil)),
		"JWT, an empty subject":         authorized(http2, jwt(map[string]any{"sub": ""}, nil)),
		"JWT, a subject of objects":     authorized(http2, jwt(map[string]any{"sub": map[string]any{"a": "b"}}, nil)),
		"JWT of format 2.0 in 1.0":      authorized(http1, jwt(map[string]any{"sub": "alice"}, nil)),
		"claims of format 1.0 in 2.0":   authorized(http2, map[string]any{"claims": map[string]any{"sub": "alice"}}),
		"a user pool without a subject": authorized(rest, map[string]any{"claims": map[string]any{"email": "a@example.com"}}),
		"claims that are none":          authorized(rest, map[string]any{"claims": "alice"}),
		"an empty Lambda context":       authorized(rest, map[string]any{"integrationLatency": 1}),
		"IAM without an ARN":            authorized(http2, signed("", nil)),
		"IAM in the place of 1.0":       identity(http2, session, nil),
		"nobody has signed":             identity(rest, nil, nil),
		"Lattice without IAM":           lattice.Set("/requestContext/identity", map[string]any{"sourceVpcArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"}),
		"Lattice, another way":          lattice.Set("/requestContext/identity/type", "OTHER"),
		"Lattice, an empty principal":   lattice.Set("/requestContext/identity/principal", ""),
		"a load balancer":               sample.Of(guard.ALB),
	} {
		b := new(backend)
		r := mustRespond(t, b.handler(io.Discard, authorizer.FromGateway()), event)
		if r.StatusCode != 401 || !strings.Contains(r.Body, "authorizer_context_missing") || b.calls != 0 {
			t.Errorf("%s: got %+v after %d calls, want a 401", name, r, b.calls)
		}
	}
}

// The token has ended since, which a gateway that keeps decisions does not see.
func TestFromGatewayHoldsATokenToItsEnd(t *testing.T) {
	for name, event := range map[string]sample.Event{
		"JWT":               authorized(sample.Of(guard.HTTPAPI), jwt(map[string]any{"sub": "alice", "exp": "1577934245"}, nil)),
		"Cognito user pool": authorized(sample.Of(guard.REST), map[string]any{"claims": map[string]any{"sub": "alice", "exp": "Thu Jan 02 03:04:05 UTC 2020"}}),
	} {
		b := new(backend)
		if r := mustRespond(t, b.handler(io.Discard, authorizer.FromGateway()), event); r.StatusCode != 401 || !strings.Contains(r.Body, "credential_expired") || b.calls != 0 {
			t.Errorf("%s: got %+v after %d calls, want a 401", name, r, b.calls)
		}
	}
}

// taken is a check that grants what the gateway's authorizer has said.
func taken(ctx context.Context, _ *authorizer.Request) (*authorizer.Grant, error) {
	g, ok := authorizer.GrantFrom(ctx)
	if !ok {
		return nil, guard.Errorf(guard.Unauthenticated, "nobody", "")
	}
	return g, nil
}

// A token that the gateway has verified is restricted like any other.
func TestScopesAndGroupsBehindAGatewaysAuthorizer(t *testing.T) {
	http2 := authorized(sample.Of(guard.HTTPAPI), jwt(map[string]any{"sub": "alice", "scope": "orders:read", "cognito:groups": "[sales support]"}, nil))
	rest := authorized(sample.Of(guard.REST), map[string]any{"claims": map[string]any{"sub": "alice", "scope": "orders:read", "cognito:groups": "sales,support"}})
	for name, event := range map[string]sample.Event{"HTTP API": http2, "REST": rest} {
		for _, tt := range []struct {
			name   string
			check  authorizer.Check
			status int
		}{
			{name: "a scope", check: authorizer.Scopes("orders:read"), status: 201},
			{name: "another scope", check: authorizer.Scopes("orders:write"), status: 403},
			{name: "a part of a scope", check: authorizer.Scopes("orders"), status: 403},
			{name: "a group", check: authorizer.Groups("support"), status: 201},
			{name: "another group", check: authorizer.Groups("admins"), status: 403},
			{
				name:   "the text of the list",
				check:  authorizer.Groups("sales,support", "[sales support]", "[sales", "support]"),
				status: 403,
			},
		} {
			b := new(backend)
			h := b.handler(io.Discard, authorizer.FromGateway(), authorizer.Require(authorizer.All(taken, tt.check)))
			if r := mustRespond(t, h, event); r.StatusCode != tt.status || (b.calls == 1) != (tt.status == 201) {
				t.Errorf("%s, %s: got %+v after %d calls, want %d", name, tt.name, r, b.calls, tt.status)
			}
		}
	}
}

func TestFromGatewayExpectsNamesOfEachAuthorizer(t *testing.T) {
	expect := []string{"sub"}
	layer := authorizer.FromGateway(expect...)
	expect[0] = "nobody-has-this"
	http2 := sample.Of(guard.HTTPAPI)
	for _, tt := range []struct {
		name  string
		layer guard.Middleware
		event string
		code  string
	}{
		{name: "a claim", layer: layer, event: string(authorized(http2, jwt(map[string]any{"sub": "alice"}, nil)).Bytes())},
		{name: "a claim that is missing", layer: layer, event: string(authorized(http2, jwt(map[string]any{"client_id": "shop"}, nil)).Bytes()), code: "authorizer_context_missing"},
		{name: "the account of a signer", layer: authorizer.FromGateway("account"), event: string(authorized(http2, signed(session, nil)).Bytes())},
		{name: "no JSON", layer: layer, event: "{", code: "malformed_json"},
	} {
		_, err := tt.layer(says("an order")).Invoke(t.Context(), []byte(tt.event))
		code := ""
		if err != nil {
			code = guard.Public(err).Code
		}
		if code != tt.code {
			t.Errorf("%s: got %v with the code %q, want %q", tt.name, err, code, tt.code)
		}
	}
}
