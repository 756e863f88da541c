package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

func greet(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "text/plain"},
		Cookies:    []string{"seen=" + r.PathParameters["name"]},
		Body:       "Hello, " + r.PathParameters["name"] + ": " + r.Body,
	}, nil
}

// An HTTP API before a handler, in process.
func ExampleNewHTTPAPI() {
	fn := guardtest.NewInProcess(lambda.NewHandler(greet), guardtest.Config{})
	api, err := gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{Routes: []string{"POST /greet/{name}"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(api)
	defer server.Close()

	for _, path := range []string{"/greet/you", "/other"} {
		res, err := http.Post(server.URL+path, "text/plain", strings.NewReader("how are you?"))
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Println(res.StatusCode, string(body), res.Header["Set-Cookie"])
	}
	// Output:
	// 200 Hello, you: how are you? [seen=you]
	// 404 {"message":"Not Found"} []
}

// What an authorizer with a cache does to one that decides by the route: the
// token is asked about once, and what it may there it may everywhere.
func ExampleAuthorizer() {
	decide := lambda.NewHandler(func(_ context.Context, r events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: r.RouteKey == "GET /list-users"}, nil
	})
	list := lambda.NewHandler(func(_ context.Context, r events.APIGatewayV2HTTPRequest) (string, error) {
		return r.RouteKey, nil
	})
	for _, sources := range [][]string{
		{"$request.header.Authorization"},
		{"$request.header.Authorization", "$context.routeKey"},
	} {
		api, err := gateway.NewHTTPAPI(guardtest.NewInProcess(list, guardtest.Config{}), gateway.HTTPAPIConfig{
			Routes: []string{"GET /list-users", "GET /list-admins"},
			Authorizer: &gateway.Authorizer{
				Function:        guardtest.NewInProcess(decide, guardtest.Config{}),
				IdentitySources: sources,
				TTL:             5 * time.Minute,
				SimpleResponses: true,
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(sources)
		for _, path := range []string{"/list-users", "/list-admins"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Authorization", "Bearer t0k3n")
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			fmt.Println(w.Code, w.Body)
		}
	}
	// Output:
	// [$request.header.Authorization]
	// 200 "GET /list-users"
	// 200 "GET /list-admins"
	// [$request.header.Authorization $context.routeKey]
	// 200 "GET /list-users"
	// 403 {"message":"Forbidden"}
}

// A REST API evaluates the policy that it keeps, for each request.
func ExampleRESTAuthorizer() {
	decide := lambda.NewHandler(func(_ context.Context, r events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		if r.AuthorizationToken != "Bearer t0k3n" {
			return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized")
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "u-1",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{{
					Effect: "Allow", Action: []string{"execute-api:Invoke"}, Resource: []string{"arn:aws:execute-api:*:*:*/prod/GET/list-users"},
				}},
			},
		}, nil
	})
	who := lambda.NewHandler(func(_ context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: fmt.Sprint(r.RequestContext.Authorizer["principalId"])}, nil
	})
	api, err := gateway.NewRESTAPI(guardtest.NewInProcess(who, guardtest.Config{}), gateway.RESTAPIConfig{
		Authorizer: &gateway.RESTAuthorizer{Function: guardtest.NewInProcess(decide, guardtest.Config{}), TokenValidation: "Bearer .+"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, request := range [][2]string{
		{"/list-users", "Bearer t0k3n"},
		{"/list-admins", "Bearer t0k3n"},
		{"/list-users", "Bearer guess"},
	} {
		r := httptest.NewRequest("GET", request[0], nil)
		r.Header.Set("Authorization", request[1])
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 u-1
	// 403 {"Message":"User is not authorized to access this resource"}
	// 401 {"message":"Unauthorized"}
}

// A function behind IAM authorization finds in its event who signed.
func ExampleIAMAuthorizer() {
	fn := guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: event.RequestContext.Authorizer.IAM.UserARN}, nil
	}), guardtest.Config{})
	api, err := gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{
		IAM: &gateway.IAMAuthorizer{Callers: []gateway.IAMCaller{{
			AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", ARN: "arn:aws:iam::123456789012:user/jane",
		}}},
	})
	if err != nil {
		panic(err)
	}
	ask := func(r *http.Request) {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	r := httptest.NewRequest("GET", "https://api.example.com/orders", nil)
	ask(r)

	empty := sha256.Sum256(nil)
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(empty[:]), "execute-api", "us-east-1", time.Now()); err != nil {
		panic(err)
	}
	ask(r)
	// Output:
	// 403 {"message":"Forbidden"}
	// 200 arn:aws:iam::123456789012:user/jane
}

// A load balancer passes the path and the query on as they were sent.
func ExampleALB() {
	fn := guardtest.NewInProcess(lambda.NewHandler(func(_ context.Context, event events.ALBTargetGroupRequest) (events.ALBTargetGroupResponse, error) {
		return events.ALBTargetGroupResponse{StatusCode: 200, Headers: map[string]string{}, Body: event.Path + " " + event.QueryStringParameters["q"]}, nil
	}), guardtest.Config{})
	alb, err := gateway.NewALB(fn, gateway.ALBConfig{})
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	alb.ServeHTTP(w, httptest.NewRequest("GET", "/files/a%2Fb?q=x%20y", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 /files/a%2Fb x%20y
}

// A test with a client, a gateway and a handler.
func ExampleStart() {
	_ = func(t *testing.T) {
		fn := guardtest.NewInProcess(lambda.NewHandler(greet), guardtest.Config{})
		api := gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: []string{"POST /greet/{name}"}})

		got := api.Do("POST", "/greet/you", "how are you?", "Content-Type", "text/plain")
		if got.Status != http.StatusOK || got.Body != "Hello, you: how are you?" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
}
