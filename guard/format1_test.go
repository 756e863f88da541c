package guard_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
)

func TestARESTRequestIsReadAsFormat2(t *testing.T) {
	got, err := guard.EventOf(t.Context(), []byte(`{
		"resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "PUT",
		"headers": {"Accept": "b", "Cookie": "a=1; b=2"},
		"multiValueHeaders": {"Accept": ["a", "b"], "Cookie": ["a=1; b=2", "c=3"]},
		"queryStringParameters": {"q": "y z", "p": "1"},
		"multiValueQueryStringParameters": {"q": ["x&", "y z"], "p": ["1"]},
		"pathParameters": {"id": "7"}, "stageVariables": {"s": "v"},
		"requestContext": {
			"accountId": "1", "stage": "prod", "requestId": "r-1", "apiId": "a", "protocol": "HTTP/1.1",
			"domainName": "d.example.com", "domainPrefix": "d", "requestTime": "t", "requestTimeEpoch": 5,
			"identity": {"sourceIp": "192.0.2.1", "userAgent": "ua"},
			"authorizer": {"claims": {"sub": "u", "exp": 1}}
		},
		"body": "aGk=", "isBase64Encoded": true
	}`)).HTTP()
	want := &events.APIGatewayV2HTTPRequest{
		Version:               "1.0",
		RouteKey:              "PUT /orders/{id}",
		RawPath:               "/orders/7",
		RawQueryString:        "p=1&q=x%26&q=y+z",
		Cookies:               []string{"a=1", "b=2", "c=3"},
		Headers:               map[string]string{"accept": "a,b"},
		QueryStringParameters: map[string]string{"q": "x&,y z", "p": "1"},
		PathParameters:        map[string]string{"id": "7"},
		StageVariables:        map[string]string{"s": "v"},
		Body:                  "aGk=",
		IsBase64Encoded:       true,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "PUT /orders/{id}", AccountID: "1", Stage: "prod", RequestID: "r-1", APIID: "a",
			DomainName: "d.example.com", DomainPrefix: "d", Time: "t", TimeEpoch: 5,
			Authorizer: &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT:    &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: map[string]string{"sub": "u"}},
				Lambda: map[string]any{"claims": map[string]any{"sub": "u", "exp": 1.0}},
			},
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "PUT", Path: "/orders/7", Protocol: "HTTP/1.1", SourceIP: "192.0.2.1", UserAgent: "ua",
			},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
}

func TestFormat1WithoutSeveralValues(t *testing.T) {
	got, err := guard.EventOf(t.Context(), []byte(`{"httpMethod":"GET","headers":{"X-A":"1","x-a":"2","X-a":"3"},"queryStringParameters":{"a":"b c"},"requestContext":{}}`)).HTTP()
	if err != nil {
		t.Fatal(err)
	}
	// Several spellings of a name join, always in the same order.
	if got.Headers["x-a"] != "1,3,2" || got.RawQueryString != "a=b+c" || got.RouteKey != "$default" || got.Cookies != nil || got.RequestContext.Authorizer != nil {
		t.Errorf("%+v", got)
	}
}

func TestFormat1OfNothing(t *testing.T) {
	got, err := guard.EventOf(t.Context(), []byte(`{"httpMethod":"GET","headers":null,"multiValueHeaders":null,"queryStringParameters":null,"pathParameters":null,"body":null,"requestContext":{"authorizer":null}}`)).HTTP()
	if err != nil || len(got.Headers) != 0 || got.RawQueryString != "" || got.QueryStringParameters != nil || got.Body != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
