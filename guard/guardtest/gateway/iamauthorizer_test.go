package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

var (
	jane = gateway.IAMCaller{AccessKeyID: "AKIDJANE", SecretAccessKey: "secret-1", ARN: "arn:aws:iam::111122223333:user/jane", OrgID: "o-1"}
	role = gateway.IAMCaller{
		AccessKeyID: "ASIAROLE", SecretAccessKey: "secret-2", SessionToken: "session-token",
		ARN: "arn:aws:sts::123456789012:assumed-role/shop/session-1",
	}
	visitor = gateway.IAMCaller{
		AccessKeyID: "ASIACOGNITO", SecretAccessKey: "secret-3", SessionToken: "cognito-token",
		ARN: "arn:aws:sts::123456789012:assumed-role/visitors/CognitoIdentityCredentials", ID: "AROAVISITORS:CognitoIdentityCredentials",
		Cognito: &gateway.CognitoIdentity{
			ID: "us-east-1:3f291106-8703-466b-8f2b-3ecee1ca56ce", PoolID: "us-east-1:4f291106-8703-466b-8f2b-3ecee1ca56ce",
			AMR: []string{"authenticated", "cognito-idp.us-east-1.amazonaws.com/us-east-1_p", "cognito-idp.us-east-1.amazonaws.com/us-east-1_p:CognitoSignIn:sub-1"},
		},
	}
	callers = []gateway.IAMCaller{jane, role, visitor}
)

// signedCall is a request of a client that signs.
type signedCall struct {
	method, path, body string
	caller             gateway.IAMCaller
	service, region    string
	at                 time.Time
	header             http.Header
	after              func(*http.Request) // changes what has been signed
}

// send signs the request for execute-api in us-east-1 now, if nothing else is said.
func (c signedCall) send(t *testing.T, url string) (status int, body, errorType string) {
	t.Helper()
	method, path, service, region, at := c.method, c.path, c.service, c.region, c.at
	if method == "" {
		method = "GET"
	}
	if service == "" {
		service = "execute-api"
	}
	if region == "" {
		region = "us-east-1"
	}
	if at.IsZero() {
		at = time.Now()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if host := c.header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	sum := sha256.Sum256([]byte(c.body))
	credentials := aws.Credentials{AccessKeyID: c.caller.AccessKeyID, SecretAccessKey: c.caller.SecretAccessKey, SessionToken: c.caller.SessionToken}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), service, region, at); err != nil {
		t.Fatal(err)
	}
	if c.after != nil {
		c.after(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(content), res.Header.Get("X-Amzn-Errortype")
}

func TestSignedRequestPasses(t *testing.T) {
	iam := &gateway.IAMAuthorizer{Callers: callers}
	api := serveAPI(t, gateway.HTTPAPIConfig{IAM: iam})
	for _, tt := range []struct {
		name string
		url  string
		call signedCall
	}{
		{name: "a user", url: api.URL, call: signedCall{path: "/", caller: jane}},
		{name: "a role's session", url: api.URL, call: signedCall{path: "/", caller: role}},
		{name: "a body", url: api.URL, call: signedCall{method: "POST", path: "/orders", body: `{"a":1}`, caller: jane, header: http.Header{"Content-Type": {"application/json"}}}},
		{name: "a query", url: api.URL, call: signedCall{path: "/?b=2&a=1&a=0&c=%20x", caller: jane}},
		{name: "escapes", url: api.URL, call: signedCall{path: "/a%2Fb/%2561/c%20d", caller: jane}},
		{name: "a domain", url: api.URL, call: signedCall{path: "/", caller: jane, header: http.Header{"Host": {"api.example.com"}}}},
		{name: "four minutes ago", url: api.URL, call: signedCall{path: "/", caller: jane, at: time.Now().Add(-4 * time.Minute)}},
		{name: "a header that is not signed", url: api.URL, call: signedCall{path: "/", caller: jane, after: func(r *http.Request) { r.Header.Set("X-Later", "1") }}},
		{name: "a base path", url: serveAPI(t, gateway.HTTPAPIConfig{IAM: iam, BasePath: "v1"}).URL, call: signedCall{path: "/v1/x", caller: jane}},
		{name: "a stage", url: serve(t, newREST(t, authorizerOf, gateway.RESTAPIConfig{IAM: iam, StageInPath: true})).URL, call: signedCall{path: "/prod/x", caller: jane}},
		{name: "a function URL", url: serveAPI(t, gateway.HTTPAPIConfig{IAM: iam, FunctionURL: true}).URL, call: signedCall{path: "/x", caller: jane, service: "lambda"}},
	} {
		if status, body, _ := tt.call.send(t, tt.url); status != 200 {
			t.Errorf("%s: %d %s", tt.name, status, body)
		}
	}
}

func TestRequestThatIsNotSignedRightlyIsRefused(t *testing.T) {
	iam := &gateway.IAMAuthorizer{Callers: callers}
	rest := serve(t, newREST(t, authorizerOf, gateway.RESTAPIConfig{IAM: iam}))
	api := serveAPI(t, gateway.HTTPAPIConfig{IAM: iam})
	url := serveAPI(t, gateway.HTTPAPIConfig{IAM: iam, FunctionURL: true})
	stranger := gateway.IAMCaller{AccessKeyID: "AKIDSTRANGER", SecretAccessKey: "s"}
	forger, tokenless := jane, role
	forger.SecretAccessKey, tokenless.SessionToken = "guessed", ""
	for _, tt := range []struct {
		name      string
		call      signedCall
		errorType string
		message   string // part of a REST API's
	}{
		{name: "no signature", call: signedCall{caller: jane, after: func(r *http.Request) { r.Header.Del("Authorization") }}, errorType: "MissingAuthenticationTokenException"},
		{name: "a bearer token", call: signedCall{caller: jane, after: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }}, errorType: "IncompleteSignatureException"},
		{name: "two signatures", call: signedCall{caller: jane, after: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }}, errorType: "IncompleteSignatureException"},
		{name: "no date", call: signedCall{caller: jane, after: func(r *http.Request) { r.Header.Del("X-Amz-Date") }}, errorType: "IncompleteSignatureException"},
		{name: "an unknown key", call: signedCall{caller: stranger}, errorType: "UnrecognizedClientException"},
		{name: "no session token", call: signedCall{caller: tokenless}, errorType: "UnrecognizedClientException"},
		{name: "another's session token", call: signedCall{caller: role, after: func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "cognito-token") }}, errorType: "UnrecognizedClientException"},
		{name: "another service", call: signedCall{caller: jane, service: "s3"}, errorType: "InvalidSignatureException", message: "Credential should be scoped to "},
		{name: "another region", call: signedCall{caller: jane, region: "eu-west-1"}, errorType: "InvalidSignatureException", message: "Credential should be scoped to "},
		{name: "a host that is not signed", call: signedCall{caller: jane, after: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "SignedHeaders=host;", "SignedHeaders=", 1))
		}}, errorType: "InvalidSignatureException"},
		{name: "another secret", call: signedCall{caller: forger}, errorType: "InvalidSignatureException"},
		{name: "too old", call: signedCall{caller: jane, at: time.Now().Add(-6 * time.Minute)}, errorType: "InvalidSignatureException"},
		{name: "too new", call: signedCall{caller: jane, at: time.Now().Add(6 * time.Minute)}, errorType: "InvalidSignatureException"},
		{name: "another method", call: signedCall{caller: jane, after: func(r *http.Request) { r.Method = "DELETE" }}, errorType: "InvalidSignatureException"},
		{name: "another path", call: signedCall{caller: jane, after: func(r *http.Request) { r.URL.Path = "/admin" }}, errorType: "InvalidSignatureException"},
		{name: "another query", call: signedCall{caller: jane, after: func(r *http.Request) { r.URL.RawQuery = "admin=true" }}, errorType: "InvalidSignatureException"},
		{name: "another domain", call: signedCall{caller: jane, after: func(r *http.Request) { r.Host = "other.example.com" }}, errorType: "InvalidSignatureException"},
		{name: "another value of a signed header", call: signedCall{caller: jane, header: http.Header{"X-Tenant": {"a"}}, after: func(r *http.Request) { r.Header.Set("X-Tenant", "b") }}, errorType: "InvalidSignatureException"},
		{name: "another body", call: signedCall{caller: jane, method: "POST", body: "ab", after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("cd")) }}, errorType: "InvalidSignatureException"},
		{name: "another signature", call: signedCall{caller: jane, after: func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"0") }}, errorType: "InvalidSignatureException"},
	} {
		tt.call.path = "/orders?a=1"
		if status, body, errorType := tt.call.send(t, rest.URL); status != 403 || errorType != tt.errorType || !strings.HasPrefix(body, `{"message":"`+tt.message) {
			t.Errorf("REST API, %s: %d %s %s, want 403 %s", tt.name, status, errorType, body, tt.errorType)
		}
		if status, body, errorType := tt.call.send(t, api.URL); status != 403 || errorType != "" || body != `{"message":"Forbidden"}` {
			t.Errorf("HTTP API, %s: %d %s %s, want 403", tt.name, status, errorType, body)
		}
		if status, body, errorType := tt.call.send(t, url.URL); status != 403 || errorType != "AccessDeniedException" || body != `{"Message":"Forbidden"}` {
			t.Errorf("function URL, %s: %d %s %s, want 403", tt.name, status, errorType, body)
		}
	}
}

func TestSignatureIsJudgedByTheClockOfTheTest(t *testing.T) {
	past := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	api := serveAPI(t, gateway.HTTPAPIConfig{IAM: &gateway.IAMAuthorizer{Callers: callers, Now: func() time.Time { return past }}})
	if status, body, _ := (signedCall{path: "/", caller: jane, at: past}).send(t, api.URL); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// echoContext answers the request context of its event.
var echoContext = guardtest.NewInProcess(guard.Func(func(_ context.Context, event struct {
	RequestContext json.RawMessage `json:"requestContext"`
},
) (map[string]any, error) {
	return map[string]any{"statusCode": 200, "body": string(event.RequestContext)}, nil
}), guardtest.Config{Timeout: patient})

func TestSignedCallerIsTold(t *testing.T) {
	null := any(nil)
	cognito := map[string]any{
		"amr":        []any{visitor.Cognito.AMR[0], visitor.Cognito.AMR[1], visitor.Cognito.AMR[2]},
		"identityId": visitor.Cognito.ID, "identityPoolId": visitor.Cognito.PoolID,
	}
	const roleID = "AROACKCEVSQ6C2EXAMPLE:session-1"
	for _, tt := range []struct {
		name     string
		caller   gateway.IAMCaller
		iam      map[string]any
		identity map[string]any // beside what is null
	}{
		{
			name: "a user", caller: jane,
			iam:      map[string]any{"accessKey": "AKIDJANE", "accountId": "111122223333", "callerId": "AIDACKCEVSQ6C2EXAMPLE", "cognitoIdentity": null, "principalOrgId": "o-1", "userArn": jane.ARN, "userId": "AIDACKCEVSQ6C2EXAMPLE"},
			identity: map[string]any{"accessKey": "AKIDJANE", "accountId": "111122223333", "caller": "AIDACKCEVSQ6C2EXAMPLE", "principalOrgId": "o-1", "userArn": jane.ARN, "user": "AIDACKCEVSQ6C2EXAMPLE"},
		},
		{
			name: "a role's session", caller: role,
			iam:      map[string]any{"accessKey": "ASIAROLE", "accountId": "123456789012", "callerId": roleID, "cognitoIdentity": null, "principalOrgId": null, "userArn": role.ARN, "userId": roleID},
			identity: map[string]any{"accessKey": "ASIAROLE", "accountId": "123456789012", "caller": roleID, "userArn": role.ARN, "user": roleID},
		},
		{
			name: "an identity pool's visitor", caller: visitor,
			iam: map[string]any{"accessKey": "ASIACOGNITO", "accountId": "123456789012", "callerId": visitor.ID, "cognitoIdentity": cognito, "principalOrgId": null, "userArn": visitor.ARN, "userId": visitor.ID},
			identity: map[string]any{
				"accessKey": "ASIACOGNITO", "accountId": "123456789012", "caller": visitor.ID, "userArn": visitor.ARN, "user": visitor.ID,
				"cognitoIdentityId": visitor.Cognito.ID, "cognitoIdentityPoolId": visitor.Cognito.PoolID, "cognitoAuthenticationType": "authenticated",
				"cognitoAuthenticationProvider": visitor.Cognito.AMR[1] + "," + visitor.Cognito.AMR[2],
			},
		},
	} {
		iam := &gateway.IAMAuthorizer{Callers: callers}
		for name, api := range map[string]http.Handler{
			"format 2.0":   newAPI(t, echoContext, gateway.HTTPAPIConfig{IAM: iam}),
			"function URL": newAPI(t, echoContext, gateway.HTTPAPIConfig{IAM: iam, FunctionURL: true}),
			"format 1.0":   newAPI(t, echoContext, gateway.HTTPAPIConfig{IAM: iam, Format: "1.0"}),
			"REST API":     newREST(t, echoContext, gateway.RESTAPIConfig{IAM: iam}),
		} {
			call := signedCall{path: "/", caller: tt.caller}
			if name == "function URL" {
				call.service = "lambda"
			}
			_, body, _ := call.send(t, serve(t, api).URL)
			var told, built struct {
				AccountID  string
				Authorizer map[string]any
				Identity   map[string]any
			}
			event := map[string]func(sample.HTTPEvent) sample.HTTPEvent{
				"function URL": sample.HTTPEvent.FunctionURL, "format 1.0": sample.HTTPEvent.Format1, "REST API": sample.HTTPEvent.REST,
				"format 2.0": func(b sample.HTTPEvent) sample.HTTPEvent { return b },
			}[name](sample.HTTP("GET", "/").SourceIP("127.0.0.1").Header("User-Agent", "Go-http-client/1.1").Caller(tt.caller)).Event()
			context, err := json.Marshal(event.Get("/requestContext"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(context, &built); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(body), &told); err != nil {
				t.Fatalf("%s, %s: %v: %s", tt.name, name, err, body)
			}
			if !reflect.DeepEqual(built, told) {
				t.Errorf("%s, %s: built\n%v, the gateway's\n%v", tt.name, name, built, told)
			}
			if told.AccountID != guardtest.AccountID {
				t.Errorf("%s, %s: the API's account is %q", tt.name, name, told.AccountID)
			}
			if name == "format 2.0" || name == "function URL" {
				if want := map[string]any{"iam": tt.iam}; !reflect.DeepEqual(told.Authorizer, want) {
					t.Errorf("%s, %s: authorizer\n%v, want\n%v", tt.name, name, told.Authorizer, want)
				}
				continue
			}
			for _, member := range []string{
				"accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType", "cognitoIdentityId",
				"cognitoIdentityPoolId", "principalOrgId", "userArn", "user",
			} {
				if got, ok := told.Identity[member]; !ok || got != tt.identity[member] {
					t.Errorf("%s, %s: identity %s is %v, want %v", tt.name, name, member, got, tt.identity[member])
				}
			}
			if told.Authorizer != nil || told.Identity["sourceIp"] != "127.0.0.1" {
				t.Errorf("%s, %s: %s", tt.name, name, body)
			}
		}
	}
}

func TestMisconfiguredIAMIsRefused(t *testing.T) {
	nameless, keyless := jane, jane
	nameless.ARN, keyless.SecretAccessKey = "jane", ""
	for want, callers := range map[string][]gateway.IAMCaller{
		"needs a caller":     nil,
		"is not an ARN":      {nameless},
		"has no credentials": {keyless},
		"two callers have":   {jane, jane},
	} {
		iam := &gateway.IAMAuthorizer{Callers: callers}
		if _, err := gateway.NewHTTPAPI(authorizerOf, gateway.HTTPAPIConfig{IAM: iam}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("HTTP API: error %v, want one with %q", err, want)
		}
		if _, err := gateway.NewRESTAPI(authorizerOf, gateway.RESTAPIConfig{IAM: iam}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("REST API: error %v, want one with %q", err, want)
		}
	}
	iam, lambda := &gateway.IAMAuthorizer{Callers: callers}, &gateway.Authorizer{Function: authorizerOf}
	if _, err := gateway.NewHTTPAPI(authorizerOf, gateway.HTTPAPIConfig{IAM: iam, Authorizer: lambda}); err == nil || !strings.Contains(err.Error(), "one authorizer") {
		t.Errorf("two authorizers of an HTTP API: %v", err)
	}
	if _, err := gateway.NewRESTAPI(authorizerOf, gateway.RESTAPIConfig{IAM: iam, UserPool: &gateway.UserPoolAuthorizer{Issuer: "x"}}); err == nil || !strings.Contains(err.Error(), "one authorizer") {
		t.Errorf("two authorizers of a REST API: %v", err)
	}
}
