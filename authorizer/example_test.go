package authorizer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// answerTo invokes a handler as Lambda does, here to print its answer.
func answerTo(h lambda.Handler, event sample.Event) {
	out, err := h.Invoke(context.Background(), event.Bytes())
	if err != nil {
		code := guard.Public(err).Code
		var told messages.InvokeResponse_Error
		if errors.As(err, &told) {
			code = told.Type
		}
		fmt.Println("error:", code)
		return
	}
	fmt.Println(string(out))
}

// A token may read orders. With the route among the authorizer's identity
// sources the gateway keeps that decision for this route alone; without it the
// decision is refused, and the log says what to do.
func ExampleSimple() {
	check := authorizer.All(
		authorizer.Bearer(tokens{"t0k3n": {Principal: "alice", Scopes: []string{"orders:read"}}}),
		authorizer.Routes(map[string]authorizer.Check{
			"GET /orders/{id}": authorizer.Scopes("orders:read"),
			"POST /orders":     authorizer.Scopes("orders:write"),
		}),
	)
	h := guard.Wrap(authorizer.Simple(check), guard.Log(fixes(os.Stdout)), guard.Errors(), guard.Recover())
	event := sample.Of(guard.Authorizer) // GET /orders/42 with that token

	answerTo(h, event.Set("/identitySource", []string{"Bearer t0k3n", "GET /orders/{id}"}))
	answerTo(h, event.Set("/identitySource", []string{"Bearer t0k3n"}))
	// Output:
	// {"isAuthorized":true,"context":{"principalId":"alice","scope":"orders:read"}}
	// authorizer_cache_hazard: add $context.routeKey to the authorizer's identity sources, or set the result TTL to 0 and declare it with Uncached()
	// error: authorizer_cache_hazard
}

// The policy that a REST API keeps for a token names every route that the check
// grants, whichever is called first.
func ExamplePolicy() {
	check := authorizer.All(
		authorizer.Bearer(tokens{"t0k3n": {Principal: "alice", Scopes: []string{"orders:read"}}}),
		authorizer.Routes(map[string]authorizer.Check{
			"GET /orders":  authorizer.Scopes("orders:read"),
			"GET /status":  authorizer.Scopes("orders:read"),
			"POST /orders": authorizer.Scopes("orders:write"),
		}),
	)
	event := sample.Of(guard.Authorizer, "token").
		Set("/methodArn", "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/orders")
	answerTo(authorizer.Policy(check), event)
	answerTo(authorizer.Policy(check), event.Set("/authorizationToken", "Bearer another"))
	// Output:
	// {"principalId":"alice","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders/","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/orders","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/HEAD/orders/","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/HEAD/orders","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/status/","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/status","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/HEAD/status/","arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/HEAD/status"]}]},"context":{"scope":"orders:read"}}
	// error: Unauthorized
}

// A function URL has no authorizer: the function decides.
func ExampleRequire() {
	keys := apikey.Hashed(map[string]authorizer.Grant{
		apikey.Hash("k-8f14e45fceea167a5a36"): {Principal: "till 3"},
	})
	hello := httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
		g, _ := authorizer.GrantFrom(ctx)
		return "hello " + g.Principal, nil
	})
	h := guard.Wrap(hello, httpapi.Problems(), guard.Recover(), authorizer.Require(authorizer.APIKey("X-Api-Key", keys)))
	event := sample.Of(guard.FunctionURL)

	answerTo(h, event.Set("/headers/x-api-key", "k-8f14e45fceea167a5a36"))
	answerTo(h, event)
	// Output:
	// {"statusCode":200,"headers":{"content-type":"application/json"},"body":"\"hello till 3\"","isBase64Encoded":false}
	// {"statusCode":401,"headers":{"content-type":"application/problem+json","www-authenticate":"Bearer"},"body":"{\"type\":\"about:blank\",\"title\":\"Authentication required\",\"status\":401,\"detail\":\"An API key is required.\",\"code\":\"credential_missing\"}","isBase64Encoded":false}
}

// A check of one's own is a function. What it reads of the request is noticed.
func ExampleCheck() {
	tenants := func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		tenant, ok := strings.CutSuffix(r.Header("Host"), ".example.com")
		if !ok {
			return nil, guard.Errorf(guard.Forbidden, "no_tenant", "There is no such tenant.")
		}
		return &authorizer.Grant{Principal: tenant}, nil
	}
	event := sample.Of(guard.Authorizer).Set("/headers/host", "acme.example.com")
	answerTo(guard.Wrap(authorizer.Simple(tenants), guard.Log(fixes(os.Stdout))), event)
	answerTo(authorizer.Simple(tenants), event.Set("/identitySource", []string{"acme.example.com"}))
	// Output:
	// authorizer_cache_hazard: add $request.header.host to the authorizer's identity sources, or set the result TTL to 0 and declare it with Uncached()
	// error: authorizer_cache_hazard
	// {"isAuthorized":true,"context":{"principalId":"acme"}}
}

// A function URL with IAM authorization: one role may call it. The session's name
// is its caller's choice, and no identity.
func ExampleIAM() {
	hello := httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
		g, _ := authorizer.GrantFrom(ctx)
		return fmt.Sprintf("hello %s, in the session %s", g.Principal, g.Context["session"]), nil
	})
	h := guard.Wrap(hello, httpapi.Problems(), guard.Recover(),
		authorizer.Require(authorizer.IAM("arn:aws:iam::123456789012:role/orders")))
	signedBy := func(arn string) sample.Event {
		return sample.Of(guard.FunctionURL).Set("/requestContext/authorizer", map[string]any{"iam": map[string]any{"userArn": arn}})
	}

	printBody(h, signedBy("arn:aws:sts::123456789012:assumed-role/orders/till-3"))
	printBody(h, signedBy("arn:aws:sts::123456789012:assumed-role/reports/till-3"))
	// Output:
	// 200 "hello arn:aws:iam::123456789012:role/orders, in the session till-3"
	// 403 arn:aws:iam::123456789012:role/reports is not allowed this.
}

// An HTTP API whose JWT authorizer has verified the token: the function takes over
// who it belongs to, and refuses what came past the authorizer.
func ExampleFromGateway() {
	hello := httpapi.Func(func(ctx context.Context, _ struct{}) (string, error) {
		g, _ := authorizer.GrantFrom(ctx)
		return fmt.Sprint("hello ", g.Principal, ", with ", g.Scopes, ", of ", g.Groups), nil
	})
	h := guard.Wrap(hello, httpapi.Problems(), guard.Recover(), authorizer.FromGateway("iss"))
	event := sample.Of(guard.HTTPAPI)

	printBody(h, event.Set("/requestContext/authorizer", map[string]any{"jwt": map[string]any{
		"claims": map[string]string{"sub": "alice", "iss": "https://issuer.example.com", "cognito:groups": "[sales support]"},
		"scopes": []string{"orders:read"},
	}}))
	printBody(h, event)
	// Output:
	// 200 "hello alice, with [orders:read], of [sales support]"
	// 401 The request has not been authorized.
}

// A firewall in front of the gateway marks requests that it trusts. A client cannot
// leave that header out, so a decision that was made without it depends on it.
func ExampleEdgeHeaders() {
	trusted := func(_ context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		if r.Header("X-Waf-Verdict") != "trusted" {
			return nil, guard.Errorf(guard.Forbidden, "not_trusted", "")
		}
		return &authorizer.Grant{Principal: "partner"}, nil
	}
	check := authorizer.Any(trusted, authorizer.Bearer(tokens{"t0k3n": {Principal: "alice"}}))
	edge := authorizer.EdgeHeaders("X-Waf-Verdict")
	event := sample.Of(guard.Authorizer).Set("/headers/x-waf-verdict", "unknown")

	answerTo(authorizer.Simple(check), event)
	answerTo(guard.Wrap(authorizer.Simple(check, edge), guard.Log(fixes(os.Stdout))), event)
	answerTo(authorizer.Simple(check, edge), event.Set("/identitySource", []string{"Bearer t0k3n", "unknown"}))
	// Output:
	// {"isAuthorized":true,"context":{"principalId":"alice"}}
	// authorizer_cache_hazard: add $request.header.x-waf-verdict to the authorizer's identity sources, or set the result TTL to 0 and declare it with Uncached()
	// error: authorizer_cache_hazard
	// {"isAuthorized":true,"context":{"principalId":"alice"}}
}

// printBody prints the status of a response and what it says.
func printBody(h lambda.Handler, event sample.Event) {
	out, err := h.Invoke(context.Background(), event.Bytes())
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	var r struct {
		StatusCode int
		Body       string
	}
	var problem struct{ Detail string }
	_ = json.Unmarshal(out, &r)
	if json.Unmarshal([]byte(r.Body), &problem) == nil {
		r.Body = problem.Detail
	}
	fmt.Println(r.StatusCode, r.Body)
}
